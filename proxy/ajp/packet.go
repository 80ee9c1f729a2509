package ajp

import "encoding/binary"

// The types of packets.
const (
	forwardRequest = 0x02
	bodyChunk      = 0x03
	sendHeaders    = 0x04
	endResponse    = 0x05
	getBody        = 0x06
	pong           = 0x09
	ping           = 0x0A
)

const (
	leadSize    = 4 // mark and length
	toContainer = 0x1234
	fromOne     = 0x4142 // "AB"
	leastPacket = 8192
	mostPacket  = 65536
	sizeUnit    = 1024
)

// packetSize is how long a packet may be, with its lead, for a size of buffers (httpd: mod_proxy_ajp.c
// ap_proxy_ajp_request, maxsize).
func packetSize(buffer int) int {
	n := min(max(buffer, leastPacket), mostPacket)
	return (n + sizeUnit - 1) / sizeUnit * sizeUnit
}

// begin appends the lead of a packet with n bytes behind it; finish fills in a length that is not known yet.
func begin(b []byte, n int) []byte {
	return append(b, toContainer>>8, toContainer&0xff, byte(n>>8), byte(n))
}

// finish notes the length of the packet that begins at start and is the last one.
func finish(b []byte, start int) {
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start-leadSize))
}

// appendInt appends a number of two bytes.
func appendInt(b []byte, n int) []byte { return append(b, byte(n>>8), byte(n)) }

// appendText appends a string. One that is too long for its length is too long for a packet as well.
func appendText(b []byte, s string) []byte {
	b = appendInt(b, len(s))
	return append(append(b, s...), 0)
}

// appendNull appends a string that is none.
func appendNull(b []byte) []byte { return append(b, 0xff, 0xff) }

// reader takes a payload apart. ok turns false at what is not there.
type reader struct {
	p  []byte
	ok bool
}

func (r *reader) int() int {
	if len(r.p) < 2 {
		r.ok = false
		return 0
	}
	n := int(binary.BigEndian.Uint16(r.p))
	r.p = r.p[2:]
	return n
}

// coded is the number in the place of a name; 0: a text stands there.
func (r *reader) coded() int {
	if len(r.p) < 2 || r.p[0] != 0xA0 {
		return 0
	}
	return r.int()
}

// text is a string, which holds as long as the payload does. null: there is none.
func (r *reader) text() (s []byte, null bool) {
	n := r.int()
	switch {
	case !r.ok:
		return nil, false
	case n == 0xffff:
		return nil, true
	case len(r.p) < n+1:
		r.ok = false
		return nil, false
	}
	s = r.p[:n]
	r.p = r.p[n+1:]
	return s, false
}
