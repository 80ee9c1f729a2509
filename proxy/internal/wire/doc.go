// Package wire turns bytes into messages and back: heads, fields, chunks, and the one decision where
// a message ends. It does no I/O.
//
//	bytes ──> ParseRequest  ──> Request, Header ──┐
//	bytes ──> ParseResponse ──> Response, Header ─┴─> RequestFraming / ResponseFraming
//	bytes ──> Chunks.Decode ──> body bytes, trailer
//
// Texts are views into the bytes that were given: they hold as long as those are left alone.
// Package proxy/internal/poison lists who owns such bytes, until when, and finds who keeps a text for longer.
//
// Reading order: header.go, id.go, class.go, request.go, line.go, target.go, host.go, fields.go,
// complete.go, response.go, headscan.go, framing.go, chunk.go, tokens.go, list.go, warning.go, nameset.go, encode.go, clock.go, proxyheader.go.
package wire
