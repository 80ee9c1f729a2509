package wire

import "bytes"

// fieldReader reads the field lines of a request, or of a request's trailer, into h.
type fieldReader struct {
	rules *Rules
	h     *Header
	lines int    // fields begun, repeated ones included
	seen  uint64 // a bit for each name, by hash: two fields of one name have the same
	names Set
	dup   bool   // two fields may have the same name
	join  joiner // of folded lines, then of fields of one name
}

// read reads up to the empty line and returns the length with it (RFC 9112 section 5; httpd:
// protocol.c ap_get_mime_headers_core).
func (f *fieldReader) read(b []byte) (int, error) {
	at := 0
	for {
		line, n, err := f.line(b[at:])
		if err != nil {
			return 0, err
		}
		at += n
		switch {
		case len(line) == 0:
			return at, f.finish()
		case line[0] == ' ' || line[0] == '\t':
			err = f.fold(line)
		default:
			err = f.field(line)
		}
		if err != nil {
			return 0, err
		}
	}
}

// line is the next line without its end, and its length with it.
func (f *fieldReader) line(b []byte) (line []byte, n int, err error) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		if len(b) > f.rules.FieldSize+2 {
			return nil, 0, f.tooLong(b)
		}
		return nil, 0, ErrIncomplete
	}
	line = b[:end]
	switch {
	case end > 0 && line[end-1] == '\r':
		line = line[:end-1]
	case !f.rules.Unsafe:
		return nil, 0, refuse(400, Debug, "AH00567: request failed: error reading the headers")
	}
	if len(line) > f.rules.FieldSize+1 {
		return nil, 0, f.tooLong(line)
	}
	return line, end + 1, nil
}

// field adds a field.
func (f *fieldReader) field(line []byte) error {
	if f.lines++; f.rules.Fields > 0 && f.lines > f.rules.Fields {
		return tooMany()
	}
	i, want := 0, isToken
	if f.rules.Unsafe {
		want = isText
	}
	for i < len(line) && classes[line[i]]&want != 0 && line[i] != ':' {
		i++
	}
	if i == 0 || i == len(line) || line[i] != ':' {
		return f.badName(line, i)
	}
	value := trim(line[i+1:])
	if !clean(value) {
		return refuse(400, Debug, "AH02427: Request header value is malformed: ", clip(view(value)))
	}
	name := view(line[:i])
	f.note(name)
	id := IDOf(name)
	f.names = f.names.with(id)
	f.h.F = append(f.h.F, Field{Name: name, Value: view(value), ID: id})
	return nil
}

func (f *fieldReader) badName(line []byte, i int) error {
	text := clip(view(line))
	switch {
	case !f.rules.Unsafe:
		return refuse(400, Debug, "AH02426: Request header field name is malformed: ", text)
	case i == len(line):
		return refuse(400, Debug, "AH00564: Request header field is missing ':' separator: ", text)
	case i == 0 && line[0] == ':':
		return refuse(400, Debug, "AH03453: Request header field name was empty")
	}
	return refuse(400, Debug, "AH03452: Request header field name presented invalid whitespace")
}

// note remembers a name's hash; the length, the first and the last letter tell usual names apart.
func (f *fieldReader) note(name string) {
	n := len(name)
	bit := uint64(1) << ((uint(lower(name[0]))*7 + uint(lower(name[n-1]))*3 + uint(lower(name[n/2])) + uint(n)*5) & 63)
	f.dup = f.dup || f.seen&bit != 0
	f.seen |= bit
}

// fold joins a continuation line to the field before it by one blank (RFC 9112 section 5.2).
func (f *fieldReader) fold(line []byte) error {
	if len(f.h.F) == 0 {
		return refuse(400, Debug, "AH03442: Line folding encountered before first header line")
	}
	more := trim(line)
	if len(more) == 0 {
		return refuse(400, Debug, "AH03443: Empty folded line encountered")
	}
	if !clean(more) {
		return refuse(400, Debug, "AH02427: Request header value is malformed: ", clip(view(more)))
	}
	at := len(f.h.F) - 1
	last := &f.h.F[at]
	if len(last.Name)+len(last.Value)+len(more)+4 >= f.rules.FieldSize {
		e := refuse(400, Info, "AH00562: Request header exceeds LimitRequestFieldSize after folding: ", clip(last.Name))
		e.Note = sizeNote
		return e
	}
	if last.Value == "" {
		last.Value = view(more)
		return nil
	}
	f.join.extend(f.h, at, " ", view(more))
	return nil
}

// finish merges fields of one name, at the place of the first (httpd: apr_table_compress).
func (f *fieldReader) finish() error {
	if !f.dup {
		return nil
	}
	first := f.first
	if len(f.h.F) > manyFields {
		first = f.known(make(map[string]int, len(f.h.F)))
	}
	f.join = joiner{} // fields are about to move
	n := 0
	for i := range f.h.F {
		if into := first(n, &f.h.F[i]); into >= 0 {
			if err := f.merge(into, f.h.F[i].Value); err != nil {
				return err
			}
			continue
		}
		f.h.F[n] = f.h.F[i]
		n++
	}
	wipe(f.h.F[n:])
	f.h.F = f.h.F[:n]
	return nil
}

// first is the place of the field of the same name among the first n, -1 for none.
func (f *fieldReader) first(n int, field *Field) int {
	for i := range f.h.F[:n] {
		g := &f.h.F[i]
		if g.ID == field.ID && (g.ID != Other || lastOf(g.Name) == lastOf(field.Name) && g.Is(field.Name)) {
			return i
		}
	}
	return -1
}

// lastOf tells names with numbers apart sooner than their beginnings do.
func lastOf(name string) byte { return lower(name[len(name)-1]) }

// manyFields is how many fields are looked through one by one. More come only where LimitRequestFields
// allows them, and then may come by the ten thousand.
const manyFields = 128

// known is first by a table of the names so far.
func (f *fieldReader) known(names map[string]int) func(n int, field *Field) int {
	return func(n int, field *Field) int {
		name := lowered(field.Name)
		if i, there := names[name]; there {
			return i
		}
		names[name] = n
		return -1
	}
}

// merge appends a value to the field at a place.
func (f *fieldReader) merge(at int, more string) error {
	into := &f.h.F[at]
	if len(into.Value)+2+len(more) > f.rules.FieldSize {
		e := refuse(400, Info, "AH00560: Request header exceeds LimitRequestFieldSize after merging: ", clip(into.Name))
		e.Note = sizeNote
		return e
	}
	sep := ", "
	if into.ID == Cookie {
		sep = "; " // RFC 6265 section 5.4; a comma would join two cookies into one
	}
	f.join.extend(f.h, at, sep, more)
	return nil
}

// joiner makes values of many pieces, each copied a bounded number of times however many there are. The
// zero value is ready. What it made holds on its own, whatever becomes of the read buffer.
type joiner struct {
	made [][]byte // by the field's place; nil: its value is none of the joiner's
}

// extend appends a separator and a piece to the value of the field at a place.
func (j *joiner) extend(h *Header, at int, sep, more string) {
	if at >= len(j.made) {
		j.made = append(j.made, make([][]byte, at+1-len(j.made))...)
	}
	f, b := &h.F[at], j.made[at]
	if b == nil {
		b = append(make([]byte, 0, 2*(len(f.Value)+len(sep)+len(more))), f.Value...)
	}
	b = append(append(b, sep...), more...)
	j.made[at], f.Value = b, view(b)
}

const (
	sizeNote  = "Size of a request header field exceeds server limit."
	countNote = "The number of request header fields exceeds this server's limit."
)

func (f *fieldReader) tooLong(line []byte) error {
	name := line
	if i := bytes.IndexByte(line, ':'); i >= 0 {
		name = line[:i]
	}
	e := refuse(400, Info, "AH00561: Request header exceeds LimitRequestFieldSize: ", clip(view(name)))
	e.Note = sizeNote
	return e
}

func tooMany() error {
	e := refuse(400, Info, "AH00563: Number of request headers exceeds LimitRequestFields")
	e.Note = countNote
	return e
}
