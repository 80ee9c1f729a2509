// Package client speaks HTTP/2 to members, for the schemes h2 and h2c: a backend.Protocol whose streams are
// golang.org/x/net/http2's.
//
//	backend.Exchange ── Open ──> clients of a worker (client.go): one connection, as many streams as it carries
//	        |                        |
//	        | Start, Wait, Feed      v
//	        └──────────────> stream (stream.go) <── channels ── x/net's goroutines
//	                             |                                 | read the client's body (upload.go)
//	                             v                                 v
//	                         x.Res.Body                         the member
//
// A member can make us hold: 100 streams a connection, 128 KiB of an answer a stream until they are wanted, 256 KiB
// of a head, ten 1xx.
//
// Reading order: backend.go, client.go, stream.go, upload.go, idle.go.
package client
