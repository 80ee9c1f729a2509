// Package http1 is the HTTP/1.1 engine: Server is the front that clients talk to, Codec speaks to
// members.
//
//	    accept.go            conn.go                      site                     back.go
//	accept4 ─────> conn: read ──> head ──> App.Serve ───────────> backend.Pooled(Codec)
//	                 ^   in one     |          |                     |      write, wait, head
//	                 |  RawConn     v          v                     v
//	               wait <── send <── x.Res.Body <──────────────── answer (a Source)
//
// Reading order: app.go, server.go, conn.go, request.go, send.go; then back.go, upload.go, answer.go.
package http1
