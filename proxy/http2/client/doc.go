// Package client speaks HTTP/2 to members: for the schemes h2 and h2c.
//
//	x.Out ──> Backend ──> clients of a worker: one connection, as many streams as it carries
//	             |  x/net reads the client's body while the answer comes in
//	             v
//	          answer (a Source)
//
// A member can make us hold: 100 streams a connection, 128 KiB of an answer a stream until they are wanted, 256 KiB
// of a head, ten 1xx.
//
// Reading order: backend.go, client.go, answer.go, upload.go.
package client
