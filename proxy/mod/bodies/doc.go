// Package bodies is three small modules that change nothing of a body but its pace and its size: mod_ratelimit,
// mod_buffer and mod_request.
//
//	answer --> RATE_LIMIT  a fifth of rate-limit KiB each 200 ms          pace.go
//	answer --> BUFFER      up to BufferSize are held until a pause        buffer.go
//	request -> BUFFER      up to BufferSize come in before any is given   buffer.go
//	request -> KeptBodySize   a longer one is refused: 413                kept.go
//
// Reading order: module.go, pace.go, buffer.go, kept.go.
package bodies
