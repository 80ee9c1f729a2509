package exchange

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"balancerd/proxy/internal/poison"
)

// Rewriter changes a body that is written to it: what comes of it, it writes to the writer that it was made
// for. A *gzip.Writer is one. A body comes in pieces of any size, cut anywhere.
type Rewriter interface {
	io.Writer
	// Flush: more may be long in coming. What can be told now is to be written, as far as it makes sense.
	Flush() error
	// Close: the body is whole. The rest is to be written. It is not called for a body that broke off or that
	// nobody wants any more.
	Close() error
}

// Pending is a Rewriter that stops in the middle of what was written to it when much has come of it: a little that was
// packed may be a flood when it is unpacked. So it may in Close.
type Pending interface {
	// Pending reports whether it has stopped so. Nothing is written to it, nor is it flushed or closed, until it has not.
	Pending() bool
	// Continue goes on.
	Continue() error
}

// Releaser is a Rewriter that wants to know when it is not used any more, after Close or without it: one
// that comes from a pool.
type Releaser interface{ Release() }

// Rewritten is a source whose bytes pass through a Rewriter, made by start for the writer that its output
// goes to. It holds no more than a piece of the body, and what the Rewriter made of it.
func Rewritten(src Source, start func(out io.Writer) Rewriter) Source {
	w := &rewriting{from: src}
	w.to = start((*output)(w))
	w.pending, _ = w.to.(Pending)
	return w
}

// pieceSize is how much is given to a Rewriter at a time.
const pieceSize = 8 << 10

// piece is a piece's storage.
type piece struct{ b [pieceSize]byte }

var pieces = sync.Pool{New: func() any { return new(piece) }}

// rewriting pulls a body through a Rewriter. Owned by its reader.
type rewriting struct {
	from    Source
	to      Rewriter
	pending Pending // to, if it is one
	piece   *piece  // nil until something must be waited for
	out     []byte  // what came out
	r       int     // of out, what was taken
	dirty   bool    // something was written since the last flush
	closing bool    // it was closed, and has stopped in that
	end     error   // behind out: io.EOF, or what went wrong
}

// output takes what a Rewriter writes.
type output rewriting

func (o *output) Write(p []byte) (int, error) {
	o.out = append(o.out, p...)
	return len(p), nil
}

// Buffered is what came out and was not taken yet.
func (w *rewriting) Buffered() []byte { return w.out[w.r:] }

// Discard takes n of it.
func (w *rewriting) Discard(n int) {
	if w.r += n; w.r == len(w.out) {
		poison.Bytes(w.out)
		w.out, w.r = w.out[:0], 0
	}
}

// Gather rewrites what has come in until something comes out. Before it would have to be waited, what the
// Rewriter holds back is flushed.
func (w *rewriting) Gather() error {
	for len(w.Buffered()) == 0 && w.end == nil {
		if !w.step() {
			w.flush()
			break
		}
	}
	if len(w.Buffered()) > 0 {
		return nil
	}
	return w.end
}

// step rewrites a piece of what has come in; false: nothing has.
func (w *rewriting) step() bool {
	if w.stopped() {
		w.resume()
		return true
	}
	held := w.from.Buffered()
	if len(held) == 0 {
		switch g := w.from.(type) {
		case Gatherer:
			if err := g.Gather(); err != nil {
				w.over(err)
				return true
			}
		case Complete:
			if done, err := g.Complete(); (done || err != nil) && len(w.from.Buffered()) == 0 { // it may have come in between
				w.readEnd()
				return true
			}
		}
		if held = w.from.Buffered(); len(held) == 0 {
			return false
		}
	}
	n := min(len(held), pieceSize)
	w.write(held[:n])
	w.from.Discard(n)
	return true
}

// stopped reports whether the Rewriter has more to say of what it was given.
func (w *rewriting) stopped() bool { return w.pending != nil && w.pending.Pending() }

// resume has it go on.
func (w *rewriting) resume() {
	w.note(w.pending.Continue())
	if w.closing && w.end == nil && !w.stopped() {
		w.end = io.EOF
		w.release()
	}
}

// readEnd reads the end of a body of which nothing is to come.
func (w *rewriting) readEnd() {
	var none [1]byte
	_, err := w.from.Read(none[:])
	if err == nil {
		err = io.ErrNoProgress
	}
	w.over(err)
}

func (w *rewriting) write(p []byte) {
	w.dirty = true
	_, err := w.to.Write(p)
	w.note(err)
}

// note ends it when the Rewriter failed.
func (w *rewriting) note(err error) {
	if err != nil {
		w.end = err
	}
}

func (w *rewriting) flush() {
	if w.dirty {
		w.dirty = false
		w.note(w.to.Flush())
	}
}

// over ends it as the body ended.
func (w *rewriting) over(err error) {
	if w.end != nil { // what was written failed: the rewriter is not told of a whole body
		return
	}
	if err == io.EOF {
		if cerr := w.to.Close(); cerr != nil {
			err = cerr
		} else if w.closing = w.stopped(); w.closing {
			return
		}
	}
	w.end = err
	w.release()
}

// release tells the Rewriter that it is not used any more: as soon as the body is over, not when the client has all of it.
func (w *rewriting) release() {
	if r, ok := w.to.(Releaser); ok {
		r.Release()
	}
	w.to, w.pending = closed{}, nil
}

// Read waits for the body when nothing else is there to be read.
func (w *rewriting) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if err := w.Gather(); err != nil {
			return 0, err
		}
		if held := w.Buffered(); len(held) > 0 {
			n := copy(p, held)
			w.Discard(n)
			return n, nil
		}
		w.wait()
	}
}

// wait waits for bytes of the body and rewrites them. An end that came with them is told again by the next Read, which is
// not before a Rewriter that has stopped has gone on with them.
func (w *rewriting) wait() {
	if w.piece == nil {
		w.piece = pieces.Get().(*piece)
	}
	n, err := w.from.Read(w.piece.b[:])
	if n > 0 {
		w.write(w.piece.b[:n])
	}
	if err != nil && (n == 0 || !w.stopped()) {
		w.over(err)
	}
}

// wholeMost is up to which length what comes out is looked at for its end before it is sent.
const wholeMost = 16 << 10

// Complete reports whether all that will ever come out is Buffered. It rewrites what has come in, up to some
// length; it does not wait.
func (w *rewriting) Complete() (done bool, err error) {
	for w.end == nil && len(w.Buffered()) < wholeMost {
		if !w.step() {
			return false, nil
		}
	}
	if w.end == nil || w.end == io.EOF {
		return w.end != nil, nil
	}
	return true, w.end
}

// Close ends it and its source.
func (w *rewriting) Close() error {
	w.release()
	if w.piece != nil {
		poison.Bytes(w.piece.b[:])
		poison.Put(&pieces, w.piece)
	}
	w.piece, w.out, w.r, w.end = nil, nil, 0, errClosed
	return w.from.Close()
}

var errClosed = errors.New("the body is closed")

// closed takes the place of a Rewriter that was released.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errClosed }
func (closed) Flush() error              { return errClosed }
func (closed) Close() error              { return errClosed }

// clientFault is an error of a filter as a body's.
func clientFault(err error) error {
	var fault *BodyError
	if err == nil || err == io.EOF || errors.As(err, &fault) {
		return err
	}
	status := Status(400)
	errors.As(err, &status)
	return &BodyError{Status: status, Err: err}
}

// Through is a source that is read through r, which reads src: for what is simpler as a reader than as a
// Rewriter (a decoder). r is given what src.Read gives.
func Through(src Source, r io.Reader) Source { return &throughSource{r, src} }

type throughSource struct {
	io.Reader
	src Source
}

func (s *throughSource) Buffered() []byte { return nil }
func (s *throughSource) Discard(int)      {}

// Close ends the source, too, and the reader if it wants to be closed.
func (s *throughSource) Close() error {
	if c, ok := s.Reader.(io.Closer); ok {
		c.Close()
	}
	return s.src.Close()
}

// ThroughBody is Through for x's request, whose body it replaces. An error of the reader is the client's
// fault: a Status that it is or wraps is answered, else 400.
func ThroughBody(x *Exchange, r io.Reader) {
	b := &throughBody{r: r}
	if c, ok := r.(io.Closer); ok {
		x.OnFinish(finishCloser{c})
	}
	x.Req.Body = b
}

type finishCloser struct{ io.Closer }

func (f finishCloser) Finish(*Exchange) { f.Close() }

type throughBody struct {
	r     io.Reader
	taken atomic.Int64 // another goroutine may read it
}

func (b *throughBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.taken.Add(int64(n))
	if n > 0 { // the reader tells an error again
		return n, nil
	}
	return 0, clientFault(err)
}
func (b *throughBody) Buffered() []byte { return nil }
func (b *throughBody) Discard(int)      {}
func (b *throughBody) Taken() int64     { return b.taken.Load() }
