// Package frames is what both sides of HTTP/2 make their frames of: a client's connection (http2/server), and a member's
// (http2/client).
//
//	bytes ──> Input ──> frames, by x/net's Framer: only whole ones are read
//	frames ──> Append… ──> Output ──> one write
//	fields ──> Encoder ──> header block ──> SplitBlock ──> HEADERS, CONTINUATION
//
// Memory is held only while bytes are in it: what a connection has read and written is given back to the pools.
//
// Reading order: frame.go, input.go, output.go, encoder.go.
package frames
