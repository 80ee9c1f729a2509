// Package frames is what both sides of HTTP/2 make their frames of: a client's connection (http2/server), and a member's
// (http2/client).
//
//	bytes ──> Received ──> Input ──> frames, by x/net's Framer: only whole ones are read
//	             |                     ├──> DATA ──> Inlet ──> who reads the body
//	             |                     └──> HEADERS, CONTINUATION ──> Decode ──> fields
//	             └── counts what brings nothing
//	frames ──> Append… ──> Output ──> one write
//	fields ──> Encoder ──> header block ──> SplitBlock ──> HEADERS, CONTINUATION
//
// Memory is held only while bytes are in it: what a connection has read and written is given back to the pools.
//
// Reading order: frame.go, input.go, received.go, inlet.go, output.go, encoder.go, name.go.
package frames
