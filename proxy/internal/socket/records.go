package socket

// records follows the records of TLS in bytes as they come in, to know whether one is there in part
// (RFC 8446 section 5.1: a kind, two bytes of version, two of length, and the content).
type records struct {
	head   uint8  // bytes of a record's head that came
	length uint16 // what they say so far
	left   uint16 // bytes of its content that are to come
	other  bool   // this is no TLS
}

const (
	recordHead = 5
	firstKind  = 20 // change_cipher_spec
	lastKind   = 24 // heartbeat (RFC 6520)
)

// came takes bytes in.
func (r *records) came(p []byte) {
	for len(p) > 0 && !r.other {
		if r.left > 0 {
			n := min(int(r.left), len(p))
			r.left -= uint16(n)
			p = p[n:]
			continue
		}
		if r.head == 0 && (p[0] < firstKind || p[0] > lastKind) {
			r.other = true
			return
		}
		if r.head >= recordHead-2 {
			r.length = r.length<<8 | uint16(p[0])
		}
		p = p[1:]
		if r.head++; r.head == recordHead {
			*r = records{left: r.length}
		}
	}
}

// midway reports whether a part of a record came, and the rest did not.
func (r *records) midway() bool { return r.head > 0 || r.left > 0 }
