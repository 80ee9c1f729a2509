// Package uwsgi is uwsgi to members, for the scheme uwsgi: a backend.Codec, bytes out and bytes in (httpd:
// mod_proxy_uwsgi.c). Connections, waits, the client's body and what follows a failure are package backend's; variables
// are package cgi's.
//
//	x ── cgi.Environment ──> names and values behind a head of four bytes, then the body (request.go)
//	x.Res <── a head as HTTP has it, and a body by its framing (codec.go)
//
// Reading order: codec.go, request.go.
package uwsgi
