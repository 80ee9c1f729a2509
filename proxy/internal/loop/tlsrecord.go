package loop

// tlsRecords follows the record headers in the bytes of a TLS connection, to know whether a record has come in
// only in part (RFC 8446 section 5.1: a type, two bytes of version, two of length, and the content).
type tlsRecords struct {
	head   uint8  // bytes of the record's header that have come
	length uint16 // the length field as far as it has come
	left   uint16 // bytes of the content that are to come
	notTLS bool   // the first byte is no type of TLS
}

const (
	recordHead = 5  // bytes of a record's header
	firstType  = 20 // change_cipher_spec
	lastType   = 24 // heartbeat (RFC 6520)
)

// received takes in what was read.
func (r *tlsRecords) received(p []byte) {
	for len(p) > 0 && !r.notTLS {
		if r.left > 0 {
			n := min(int(r.left), len(p))
			r.left -= uint16(n)
			p = p[n:]
			continue
		}
		if r.head == 0 && (p[0] < firstType || p[0] > lastType) {
			r.notTLS = true
			return
		}
		if r.head >= recordHead-2 {
			r.length = r.length<<8 | uint16(p[0])
		}
		p = p[1:]
		if r.head++; r.head == recordHead {
			*r = tlsRecords{left: r.length}
		}
	}
}

// midway reports whether a part of a record has come, and the rest has not.
func (r *tlsRecords) midway() bool { return r.head > 0 || r.left > 0 }
