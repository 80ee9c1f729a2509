package frames

import (
	"strings"

	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/internal/wire"
)

// TableSize is how large the tables of the compression may be (RFC 7541 section 4.2).
const TableSize = 4096

// indexable is up to which length a value may stand in our table.
const indexable = 1 << 10

// Encoder writes header blocks (RFC 7541). Unlike hpack's own it needs no map: the fields of a head are few, and known
// by number for the most part. Owned by who holds the connection's mu: blocks are sent in the order they are made.
type Encoder struct {
	table  []entry // the oldest first
	size   int     // of them, as the standard counts it
	max    int
	shrunk bool // max became smaller: the next block says so
}

// NewEncoder is one with an empty table of the standard size.
func NewEncoder() Encoder { return Encoder{max: TableSize} }

// entry is a field of the table. Its texts are the table's own.
type entry struct{ name, value string }

func (e *entry) size() int { return len(e.name) + len(e.value) + 32 }

// Limit is the client's bound of the table. It never grows again.
func (e *Encoder) Limit(n uint32) {
	if int64(n) >= int64(e.max) {
		return
	}
	e.max, e.shrunk = int(n), true
	e.evict(0)
}

// evict makes place for n bytes more.
func (e *Encoder) evict(n int) {
	k := 0
	for k < len(e.table) && e.size+n > e.max {
		e.size -= e.table[k].size()
		k++
	}
	if k > 0 {
		m := copy(e.table, e.table[k:])
		clear(e.table[m:])
		e.table = e.table[:m]
	}
}

// Begin appends what stands in front of a block.
func (e *Encoder) Begin(b []byte) []byte {
	if e.shrunk {
		e.shrunk = false
		b = appendNumber(b, 0x20, 5, uint64(e.max))
	}
	return b
}

// Status appends :status.
func (e *Encoder) Status(b []byte, status int) []byte {
	if i := statusIndex(status); i > 0 {
		return append(b, 0x80|i)
	}
	b = append(b, firstStatus, 3)
	return append(b, '0'+byte(status/100), '0'+byte(status/10%10), '0'+byte(status%10))
}

// Pseudo appends the pseudo fields of a request but the path: an authority of "" is none.
func (e *Encoder) Pseudo(b []byte, method, scheme, authority string) []byte {
	switch method {
	case "GET":
		b = append(b, 0x80|2)
	case "POST":
		b = append(b, 0x80|3)
	default:
		b = appendText(append(b, 2), method)
	}
	if scheme == "https" {
		b = append(b, 0x80|7)
	} else {
		b = append(b, 0x80|6)
	}
	if authority == "" {
		return b
	}
	return e.indexed(b, ":authority", 1, authority)
}

// Connect appends the pseudo fields of a request for a tunnel to an authority (RFC 9113 section 8.5).
func (e *Encoder) Connect(b []byte, authority string) []byte {
	return e.indexed(appendText(append(b, 2), "CONNECT"), ":authority", 1, authority)
}

// Path appends :path, which has no place in the table.
func (e *Encoder) Path(b []byte, path string) []byte {
	if path == "/" {
		return append(b, 0x80|4)
	}
	return appendText(append(b, 4), path)
}

// indexed appends a field with a number of the static table, which enters ours.
func (e *Encoder) indexed(b []byte, name string, static byte, value string) []byte {
	for i := len(e.table) - 1; i >= 0; i-- {
		if t := &e.table[i]; t.value == value && t.name == name {
			return appendNumber(b, 0x80, 7, uint64(firstDynamic+len(e.table)-1-i))
		}
	}
	if size := len(name) + len(value) + 32; len(value) > indexable || size > e.max {
		return appendText(appendNumber(b, 0, 4, uint64(static)), value)
	}
	b = appendText(appendNumber(b, 0x40, 6, uint64(static)), value)
	e.add(entry{name, strings.Clone(value)})
	return b
}

// firstStatus is the number of :status in the static table.
const firstStatus = 8

// statusIndex is the number of a status in the static table; 0: it is not there.
func statusIndex(status int) byte {
	switch status {
	case 200:
		return 8
	case 204:
		return 9
	case 206:
		return 10
	case 304:
		return 11
	case 400:
		return 12
	case 404:
		return 13
	case 500:
		return 14
	}
	return 0
}

// Field appends a field: of those that have a number of ours, id tells the name, else name does, in any case.
func (e *Encoder) Field(b []byte, id wire.ID, name, value string) []byte {
	if id != wire.Other {
		name = known[id].name
	}
	for i := len(e.table) - 1; i >= 0; i-- {
		if t := &e.table[i]; len(t.value) == len(value) && t.value == value && wire.EqualFold(t.name, name) {
			return appendNumber(b, 0x80, 7, uint64(firstDynamic+len(e.table)-1-i))
		}
	}
	static := known[id].static
	if id == wire.Other {
		static = staticName(name)
	}
	if secret[static] {
		return appendText(appendName(b, 0x10, 4, static, id, name), value)
	}
	if len(value) <= indexable && len(name)+len(value)+32 <= e.max && !passing[static] {
		return e.insert(b, id, static, name, value)
	}
	b = appendName(b, 0, 4, static, id, name)
	return appendText(b, value)
}

// insert appends a field that enters the table.
func (e *Encoder) insert(b []byte, id wire.ID, static byte, name, value string) []byte {
	b = appendName(b, 0x40, 6, static, id, name)
	b = appendText(b, value)
	own := known[id].name
	if id == wire.Other {
		own = string(appendLower(nil, name))
	}
	e.add(entry{own, strings.Clone(value)})
	return b
}

// add enters a field, for which there is place, into the table.
func (e *Encoder) add(t entry) {
	e.evict(t.size())
	e.size += t.size()
	e.table = append(e.table, t)
}

// firstDynamic is the number of the newest entry of the table.
const firstDynamic = 62

// appendName appends how a literal begins: by the number of its name, or by the name.
func appendName(b []byte, pattern byte, bits uint, static byte, id wire.ID, name string) []byte {
	if static > 0 {
		return appendNumber(b, pattern, bits, uint64(static))
	}
	b = append(b, pattern)
	if id != wire.Other {
		return appendText(b, known[id].name)
	}
	return appendLower(appendNumber(b, 0, 7, uint64(len(name))), name)
}

// appendLower appends a name with its letters of ASCII in lower case, and all other bytes as they are.
func appendLower(b []byte, name string) []byte {
	at := len(b)
	b = append(b, name...)
	for i, c := range b[at:] {
		if c >= 'A' && c <= 'Z' {
			b[at+i] = c | 0x20
		}
	}
	return b
}

// appendText appends a string, by Huffman's code when that is shorter.
func appendText(b []byte, s string) []byte {
	if n := hpack.HuffmanEncodeLength(s); n < uint64(len(s)) {
		return hpack.AppendHuffmanString(appendNumber(b, 0x80, 7, n), s)
	}
	return append(appendNumber(b, 0, 7, uint64(len(s))), s...)
}

// appendNumber appends a number behind a pattern that leaves so many bits of its byte (RFC 7541 section 5.1).
func appendNumber(b []byte, pattern byte, bits uint, n uint64) []byte {
	most := uint64(1)<<bits - 1
	if n < most {
		return append(b, pattern|byte(n))
	}
	b = append(b, pattern|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// statics are the numbers of fields' names in the static table (RFC 7541 appendix A). Never written to.
var statics = map[string]byte{
	"accept-charset": 15, "accept-encoding": 16, "accept-language": 17, "accept-ranges": 18, "accept": 19,
	"access-control-allow-origin": 20, "age": 21, "allow": 22, "authorization": 23, "cache-control": 24, "content-disposition": 25,
	"content-encoding": 26, "content-language": 27, "content-length": 28, "content-location": 29, "content-range": 30,
	"content-type": 31, "cookie": 32, "date": 33, "etag": 34, "expect": 35, "expires": 36, "from": 37, "if-match": 39,
	"if-modified-since": 40, "if-none-match": 41, "if-range": 42, "if-unmodified-since": 43, "last-modified": 44, "link": 45,
	"location": 46, "max-forwards": 47, "proxy-authenticate": 48, "proxy-authorization": 49, "range": 50, "referer": 51, "refresh": 52,
	"retry-after": 53, "server": 54, "set-cookie": 55, "strict-transport-security": 56, "user-agent": 58, "vary": 59, "via": 60,
	"www-authenticate": 61,
}

// passing are the names whose values seldom come again: they have no place in the table. Never written to.
var passing = [firstDynamic]bool{21: true, 28: true, 30: true, 34: true, 36: true, 39: true, 40: true, 41: true, 42: true, 43: true, 44: true,
	46: true, 50: true, 51: true, 53: true, 55: true}

// secret are the names whose values no table holds, so that nobody can guess at them by what another one's head
// takes (RFC 7541 section 7.1.3). Never written to.
var secret = [firstDynamic]bool{23: true, 32: true, 49: true}

// longestStatic is the longest of the names in statics.
const longestStatic = len("access-control-allow-origin")

// staticName is the number of a name in any case; 0: it has none.
func staticName(name string) byte {
	if len(name) > longestStatic {
		return 0
	}
	var b [longestStatic]byte
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		b[i] = c
	}
	return statics[string(b[:len(name)])]
}

// known is what is to be known of the fields that have a number of ours. Never written to.
var known = knownTable()

type knownField struct {
	name   string // in lower case
	static byte   // its number in the static table; 0: it has none
}

func knownTable() (t [256]knownField) {
	for id := wire.Other + 1; id < wire.IDs; id++ {
		name := strings.ToLower(id.String())
		t[id] = knownField{name, statics[name]}
	}
	return t
}
