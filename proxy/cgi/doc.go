// Package cgi is what FastCGI, SCGI and uwsgi have of CGI (RFC 3875): the variables that describe a request, and the head
// of an answer.
//
//	the exchange ── Environment ──> x.Env: CGI's variables over those that the configuration set ──> the protocol's form
//	an answer's head ── Answer.Read ──> x.Res: status, Header, Always
//
// The variables become the exchange's own, as in httpd: logs, Header's env= and an internal redirect see them.
//
// Reading order: environment.go, script.go, header.go, answer.go, fields.go.
package cgi
