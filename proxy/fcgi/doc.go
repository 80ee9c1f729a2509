// Package fcgi is FastCGI to members, for the scheme fcgi: a backend.Codec, bytes out and bytes in (the FastCGI
// specification 1.0; httpd: mod_proxy_fcgi.c). Connections, waits, the client's body and what follows a failure are
// package backend's; variables and the head of an answer are package cgi's.
//
//	x ── cgi.Environment ──> BEGIN, PARAMS …, STDIN …   (request.go)  ──> bytes for the member
//	x.Res <──── Accept (codec.go) <─── head of STDOUT   (head.go)     <── bytes of the member, as records (record.go)
//	x.Res.Body <──── Decode (body.go): STDOUT; STDERR goes to the error log (stderr.go)
//
// One request at a time is on a connection, always with the number 1.
//
// Reading order: codec.go, settings.go, request.go, script.go, record.go, head.go, body.go, stderr.go.
package fcgi
