// Package scgi is SCGI to members, for the scheme scgi: a backend.Codec, bytes out and bytes in (httpd:
// mod_proxy_scgi.c). Connections, waits, the client's body and what follows a failure are package backend's; variables and
// the head of an answer are package cgi's.
//
//	x ── cgi.Environment ──> a netstring of names and values, then the body (codec.go)
//	x.Res <── cgi.Answer.Read <── the head; the body ends with the connection
//	Backend (follow.go): an answer may name a path or a file that is to be served in its place
//
// Reading order: settings.go, codec.go, follow.go.
package scgi
