// Package client is HTTP/1.1 to members, for the schemes http, https, ws and wss: a backend.Codec, bytes out and
// bytes in. Connections, waits, the client's body and what follows a failure are package backend's.
//
//	x.Out ─────────────> AppendHead, AppendPiece …  (request.go) ──> bytes for the member
//	x.Res.Header <────── ParseHead (codec.go) <───────────────────── bytes of the member
//	x.Res <───────────── Accept (accept.go), clean (clean.go): the final head as the client gets it
//	x.Res.Body <──────── Decode (codec.go): chunks
//
// Reading order: codec.go, request.go, accept.go, clean.go.
package client
