// Package tlsbuf has connections of crypto/tls hold no buffers while they idle.
//
// A tls.Conn receives records into a buffer that it keeps: 2 KiB after a handshake, 34 KiB once a full record has
// come in. It keeps another one of handshake messages, some 1.5 KiB. Neither is needed while nothing comes in:
//
//	bytes come  ── Lend ────> tls.Conn receives into a buffer of ours
//	it idles    <─ TakeBack ─ the buffer serves another connection; the handshake's is dropped
//
// crypto/tls has no way to say so, so the fields are found by name (fields.go). Where a version of Go has them no
// longer, or as another type, nothing is lent and nothing taken, and connections keep what they have; a test fails then.
//
// Reading order: fields.go, tlsbuf.go.
package tlsbuf
