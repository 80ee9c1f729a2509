package cache

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"time"

	"balancerd/proxy/internal/wire"
)

// magic begins each file with a head; then the head's length and its CRC-32C, 4 bytes each, the head, and the body unless
// the head names another file.
const magic = "balancerd answer 1\n"

// headMost is how long a head in a file may be.
const headMost = 4 << 20

// record is a head as it is written.
type record struct {
	Key       string
	Status    int
	Header    [][2]string
	Varied    []Field `json:",omitempty"`
	HeadOnly  bool    `json:",omitempty"`
	Length    int64
	Sum       uint32
	Body      string `json:",omitempty"` // the body's own file
	Control   Control
	Date      time.Time
	Expires   time.Time
	Requested time.Time
	Received  time.Time
	Until     time.Time
}

// encode is the text of an entry's file up to the body.
func encode(e *Entry, bodyFile string) ([]byte, error) {
	r := record{Key: e.Key, Status: e.Status, Varied: e.Varied, HeadOnly: e.HeadOnly, Length: e.Length, Sum: e.sum,
		Body: bodyFile, Control: e.Control, Date: e.Date, Expires: e.Expires, Requested: e.Requested, Received: e.Received, Until: e.Until}
	for i := range e.Header.F {
		r.Header = append(r.Header, [2]string{e.Header.F[i].Name, e.Header.F[i].Value})
	}
	head, err := json.Marshal(&r)
	if err != nil {
		return nil, err
	}
	out := append([]byte(magic), make([]byte, 8)...)
	binary.BigEndian.PutUint32(out[len(magic):], uint32(len(head)))
	binary.BigEndian.PutUint32(out[len(magic)+4:], crc32.Checksum(head, castagnoli))
	return append(out, head...), nil
}

var errBroken = errors.New("no answer of this version, or broken")

// decode reads the head of a file of size bytes. bodyFile is the body's own file; if there is none the body begins at
// from, and is whole.
func decode(f io.Reader, size int64) (e *Entry, bodyFile string, from int64, err error) {
	begin := make([]byte, len(magic)+8)
	if _, err := io.ReadFull(f, begin); err != nil || string(begin[:len(magic)]) != magic {
		return nil, "", 0, errBroken
	}
	n := int64(binary.BigEndian.Uint32(begin[len(magic):]))
	from = int64(len(begin)) + n
	if n > headMost || from > size {
		return nil, "", 0, errBroken
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(f, head); err != nil || crc32.Checksum(head, castagnoli) != binary.BigEndian.Uint32(begin[len(magic)+4:]) {
		return nil, "", 0, errBroken
	}
	var r record
	if json.Unmarshal(head, &r) != nil {
		return nil, "", 0, errBroken
	}
	if e, err = r.entry(); err != nil {
		return nil, "", 0, err
	}
	if r.Body == "" && !e.HeadOnly && size-from != e.Length {
		return nil, "", 0, errBroken
	}
	return e, r.Body, from, nil
}

// entry checks what came out of a file: whoever may write there says what clients get, but nothing that breaks this server.
func (r *record) entry() (*Entry, error) {
	if r.Key == "" || r.Status < 200 || r.Status > 999 || r.Length < -1 || r.Length < 0 && !r.HeadOnly {
		return nil, errBroken
	}
	e := &Entry{Key: r.Key, Status: r.Status, Varied: r.Varied, HeadOnly: r.HeadOnly, Length: r.Length, sum: r.Sum,
		Control: r.Control, Date: r.Date, Expires: r.Expires, Requested: r.Requested, Received: r.Received, Until: r.Until}
	for _, f := range r.Header {
		if !wire.IsToken(f[0]) || !wire.IsValue(f[1]) {
			return nil, errBroken
		}
		e.Header.Add(f[0], f[1])
	}
	return e, nil
}
