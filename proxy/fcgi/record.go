package fcgi

import "encoding/binary"

// The types of records (FastCGI 1.0 section 8).
const (
	beginRequest = 1
	endRequest   = 3
	params       = 4
	stdin        = 5
	stdout       = 6
	stderr       = 7
)

const (
	version   = 1
	number    = 1 // of every request
	leadSize  = 8 // bytes in front of a record's content
	mostBytes = 1<<16 - 1
	responder = 1 // the role
	keepConn  = 1 // the flag
)

// appendLead appends what goes before a record's content of n bytes, at most mostBytes.
func appendLead(b []byte, kind byte, n int) []byte {
	return append(b, version, kind, 0, number, byte(n>>8), byte(n), 0, 0)
}

// records takes the member's bytes apart. The zero value is before the first record.
type records struct {
	lead    [leadSize]byte
	have    int // of lead
	left    int // bytes of the content still to come
	padding int // and behind it
	open    bool
	told    bool // a line of the log is about it
	status  byte // of END_REQUEST: its protocolStatus
}

// kind is the type of the record under way.
func (r *records) kind() byte { return r.lead[1] }

// empty reports whether the record under way has no content at all.
func (r *records) empty() bool { return r.size() == 0 }

func (r *records) size() int { return int(binary.BigEndian.Uint16(r.lead[4:])) }

// begin reads what goes before the content, from the beginning of p. ok: the content comes next. It is
// bounded by its two bytes of length.
func (r *records) begin(p []byte) (used int, ok bool) {
	if r.open {
		return 0, true
	}
	used = copy(r.lead[r.have:], p)
	if r.have += used; r.have < leadSize {
		return used, false
	}
	r.left, r.padding, r.open, r.told = r.size(), int(r.lead[6]), true, false
	return used, true
}

// valid says what is wrong with the record under way; "" for nothing.
func (r *records) valid() (line string, n int) {
	if v := int(r.lead[0]); v != version {
		return "AH01068: Got bogus version ", v
	}
	if id := int(binary.BigEndian.Uint16(r.lead[2:])); id != number {
		return "AH01069: Got bogus rid ", id
	}
	return "", 0
}

// content is how many of n bytes belong to the content.
func (r *records) content(n int) int { return min(n, r.left) }

// note takes a piece of END_REQUEST, whose fifth byte is the protocol's status.
func (r *records) note(piece []byte) {
	if at := 4 - (r.size() - r.left); at >= 0 && at < len(piece) {
		r.status = piece[at]
	}
}

// pass takes n bytes of the content as read.
func (r *records) pass(n int) { r.left -= n }

// end reads away what is behind the content. ok: the record is over.
func (r *records) end(p []byte) (used int, ok bool) {
	used = min(len(p), r.padding)
	if r.padding -= used; r.padding > 0 {
		return used, false
	}
	r.open, r.have = false, 0
	return used, true
}
