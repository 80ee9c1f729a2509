package cache

import (
	"bytes"
	"container/list"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"balancerd/proxy/exchange"
)

// Entry is a kept answer. Immutable but for where its body is. All texts are its own.
type Entry struct {
	Key      string
	Status   int
	Header   exchange.Header // without Content-Length, and what belongs to a connection
	Varied   []Field         // the request's fields that Vary names
	HeadOnly bool            // it answered a HEAD: it has no body, and answers no GET
	Length   int64           // of the body; of a HeadOnly one as its member told it, -1 if it did not

	Control   Control
	Date      time.Time // the answer's Date
	Expires   time.Time
	Requested time.Time // when the request for it came
	Received  time.Time // when it came
	Until     time.Time // when it goes, whatever it says; zero: never

	sum   uint32 // CRC-32C of the body
	body  atomic.Pointer[body]
	size  int64 // bytes that it is counted with
	place *list.Element
}

// Field is a field of a request, by the joined values of all of that name.
type Field struct {
	Name, Value string
	Present     bool
}

// body is where an Entry's body is: a text, or a file of the folder from an offset on, or both. Immutable.
type body struct {
	text  []byte // nil: not in memory
	file  string
	from  int64
	sound bool // it was held against its checksum, or written by this process
}

// stays reports whether the bytes need not be held against their checksum again: no other body is ever put under its
// file's name, as it is under that of a head.
func (b *body) stays() bool { return b.sound && path.Ext(b.file) == bodySuffix }

// Vary is the request's values of the fields that a Vary field names.
func Vary(vary string, request *exchange.Header) (list []Field) {
	for {
		d, rest, ok := next(vary)
		if !ok {
			return list
		}
		vary = rest
		list = append(list, Field{strings.Clone(d.name), strings.Clone(request.Joined(d.name)), request.Has(d.name)})
	}
}

// Fits reports whether the answer was made for a request with these fields (RFC 9111 section 4.1).
func (e *Entry) Fits(request *exchange.Header) bool {
	for i := range e.Varied {
		v := &e.Varied[i]
		if request.Has(v.Name) != v.Present || v.Present && request.Joined(v.Name) != v.Value {
			return false
		}
	}
	return true
}

// varies reports whether both answers vary by the same fields.
func (e *Entry) varies(o *Entry) bool {
	if len(e.Varied) != len(o.Varied) {
		return false
	}
	for i := range e.Varied {
		if !exchange.EqualFold(e.Varied[i].Name, o.Varied[i].Name) {
			return false
		}
	}
	return true
}

// sameVariant reports whether both were made for the same values.
func (e *Entry) sameVariant(o *Entry) bool {
	for i := range e.Varied {
		if e.Varied[i].Value != o.Varied[i].Value || e.Varied[i].Present != o.Varied[i].Present {
			return false
		}
	}
	return true
}

// variant is a text that tells the variants of a Key apart.
func (e *Entry) variant() string {
	var b strings.Builder
	for i := range e.Varied {
		v := &e.Varied[i]
		b.WriteString(strings.ToLower(v.Name) + "\x00" + v.Value + "\x00")
		if v.Present {
			b.WriteByte(1)
		}
	}
	return b.String()
}

// HeadSize is about how many bytes of memory the head takes.
func (e *Entry) HeadSize() int64 {
	const bare, field = 512, 64
	n := bare + len(e.Key)
	for i := range e.Header.F {
		n += field + len(e.Header.F[i].Name) + len(e.Header.F[i].Value)
	}
	for i := range e.Varied {
		n += field + len(e.Varied[i].Name) + len(e.Varied[i].Value)
	}
	return int64(n)
}

// Refreshed is the answer with the head of a newer one, which has its status. It goes to Store.Refresh.
func (e *Entry) Refreshed(head *Entry) *Entry {
	head.Status, head.HeadOnly, head.Length, head.sum = e.Status, e.HeadOnly, e.Length, e.sum
	head.Key, head.Varied = e.Key, e.Varied
	head.body.Store(e.body.Load())
	return head
}

// Body is the answer's body. The error is that of its file, which may be gone; the entry is of no use then
// and is forgotten. It may read a disk.
func (s *Store) Body(e *Entry) (exchange.Source, error) {
	b := e.body.Load()
	if b.text == nil && b.file != "" && e.Length <= hotBody {
		text, err := s.folder.readSound(e, b)
		if err != nil {
			s.Remove(e)
			return nil, err
		}
		b = s.folder.warm(e, b, text)
	}
	if b.text != nil || b.file == "" {
		return exchange.NewSections(bytes.NewReader(b.text), nil, 0, e.Length), nil
	}
	f, err := s.folder.open(e, b)
	if err != nil {
		s.Remove(e)
		return nil, err
	}
	return exchange.NewSections(f, f, b.from, e.Length), nil
}

// Text is the body if all of it is in memory.
func (e *Entry) Text() (text []byte, ok bool) {
	b := e.body.Load()
	return b.text, b.text != nil || b.file == ""
}

// Waits reports whether Body has to read all of a file first.
func (e *Entry) Waits() bool {
	b := e.body.Load()
	return b.text == nil && b.file != "" && !b.stays()
}
