package compress

import (
	"io"

	"balancerd/proxy/exchange"
)

// coder is what packs: of klauspost's flate or of brotli.
type coder interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// kept is a coder that is used again and again. It writes where sink says.
type kept struct {
	coder
	sink  sink
	spare bool // it is not kept
}

// sink passes on what a coder writes, and counts it.
type sink struct {
	to io.Writer
	n  int64
}

func (s *sink) Write(p []byte) (int, error) {
	s.n += int64(len(p))
	return s.to.Write(p)
}

// writer packs one answer.
type writer struct {
	x     *exchange.Exchange
	of    *pool
	k     *kept
	in    int64
	turn  exchange.Turn
	notes *notes
}

func newWriter(x *exchange.Exchange, of *pool, k *kept, n *notes, out io.Writer) writer {
	w := writer{x: x, of: of, k: k, notes: n}
	w.k.sink = sink{to: out}
	w.k.Reset(&w.k.sink)
	return w
}

// Write packs a piece. An event loop goes on without a long answer.
func (w *writer) Write(p []byte) (int, error) {
	w.in += int64(len(p))
	w.turn.Worked(w.x, len(p), w.of.turn)
	return w.k.Write(p)
}

// Flush has the client see all that was packed so far.
func (w *writer) Flush() error { return w.k.Flush() }

// Close ends what the coder has to say.
func (w *writer) Close() error {
	err := w.k.Close()
	w.notes.leave(w.x, w.in, w.k.sink.n)
	return err
}

// Release gives the coder back.
func (w *writer) Release() {
	if w.k != nil {
		w.of.put(w.k)
		w.k = nil
	}
}

// leave leaves notes for the log.
func (n *notes) leave(x *exchange.Exchange, in, out int64) {
	note := func(name string, value int64, known bool) {
		switch {
		case name == "":
		case !known:
			x.Notes.Set(name, "-")
		default:
			x.Notes.Set(name, x.Arena.Int(value))
		}
	}
	note(n.input, in, n.always || in > 0)
	note(n.output, out, n.always || out > 0)
	note(n.ratio, out*100/max(in, 1), in > 0)
}
