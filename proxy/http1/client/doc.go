// Package client speaks HTTP/1.1 to members: for the schemes http, https, ws and wss.
//
//	x.Out ──> Backend.RoundTrip ── backend.Acquire ──> Conn
//	               |  upload: the client's body                 |
//	               v                                            v
//	x.Res <── settle <── head <──────────────── answer: write, wait, read
//	x.Res.Body = answer, a Source that is pulled; x.Res.Tunnel for a 101
//
// Reading order: back.go, upload.go, answer.go, settle.go, clean.go, tunnel.go.
package client
