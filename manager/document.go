package manager

import "io"

// piece is how many bytes are printed at a time: a document of ten thousand members takes no more memory than one
// of ten, and the event loop that sends it does other work between two pieces.
const piece = 16 << 10

// document is a page, an XML or a JSON document that is printed while it is read.
type document struct {
	out
	parts []part
	taken int // bytes of out that were read
}

// part prints a part of a document, or the rest of it: until it is done, which it reports, or there is enough for a piece.
type part func(o *out) (done bool)

func (d *document) add(p part) { d.parts = append(d.parts, p) }

// once adds a part that is printed at once.
func (d *document) once(print func(o *out)) {
	d.add(func(o *out) bool {
		print(o)
		return true
	})
}

// fill prints the next piece in place of the one that was read; nothing when all was.
func (d *document) fill() {
	d.b, d.taken = d.b[:0], 0
	for len(d.parts) > 0 && !d.full() {
		if d.parts[0](&d.out) {
			d.parts = d.parts[1:]
		}
	}
}

func (o *out) full() bool { return len(o.b) >= piece }

// Read reads what is printed next.
func (d *document) Read(p []byte) (int, error) {
	if d.taken == len(d.b) {
		d.fill()
	}
	n := copy(p, d.b[d.taken:])
	if d.taken += n; n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo prints all to w.
func (d *document) WriteTo(w io.Writer) (n int64, err error) {
	for d.fill(); len(d.b) > 0 && err == nil; d.fill() {
		var m int
		m, err = w.Write(d.b)
		n += int64(m)
	}
	return n, err
}

// each is a part that prints all lists: what begins list i, its members, and what ends it. Member j of list i is
// the k-th of all.
func each(lists []list, begin func(o *out, i int), member func(o *out, i, j, k int), end func(o *out, i int)) part {
	i, j, k := 0, 0, 0
	return func(o *out) bool {
		for ; i < len(lists); i, j = i+1, 0 {
			if j == 0 {
				begin(o, i)
			}
			for n := len(lists[i].members); j < n; {
				member(o, i, j, k)
				j, k = j+1, k+1
				if j < n && o.full() {
					return false
				}
			}
			end(o, i)
			if o.full() {
				i, j = i+1, 0
				return i == len(lists)
			}
		}
		return true
	}
}
