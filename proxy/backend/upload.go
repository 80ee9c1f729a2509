package backend

import (
	"errors"
	"io"
	"os"
	"sync"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
)

// prefetch is how much of a body is read before a connection to a member is taken
// (httpd: proxy_util.c ap_proxy_prefetch_input: MAX_MEM_SPOOL less 80).
const prefetch = 16384 - 80

var errTaken = errors.New("backend: the beginning of the body is gone")

var uploads = sync.Pool{New: func() any { return new(Upload) }}

// Upload is the client's body on its way to members: the same for all attempts of an exchange. What of it is still
// unsent is in one place: first, which no attempt has sent yet, then what the client has not sent yet. A further
// attempt begins with the same first. What is kept is kept in memory, up to 16 KiB, or in a file when the whole body
// has to be read before. Owned by the goroutine that serves the exchange.
type Upload struct {
	x      *exchange.Exchange
	none   bool   // there is no body
	first  []byte // what was read, or lies ready with the client's body
	ready  bool   // first is still the client's body's own: it is taken from there when it is sent
	whole  bool   // first is all of it
	length int64  // to be announced; -1 chunked
	file   *os.File
	gone   bool // bytes beyond first were taken: no further attempt is possible
	own    []byte

	// Of the attempt under way.
	at  int   // how much of first was given in pieces
	out int64 // bytes that were sent
}

// noUpload is for requests without a body. Never written to.
var noUpload = Upload{none: true}

// NoUpload is what a request without a body has.
func NoUpload() *Upload { return &noUpload }

// None reports whether there is no body, not even an empty one.
func (u *Upload) None() bool { return u.none }

// Length is the length to announce, -1 when it is not known.
func (u *Upload) Length() int64 { return u.length }

// loadUpload is what x.Out says of its body, with what has to be read of it before a connection is taken:
// 16 KiB or all of it; all of it with Spool, or where the head has to tell its length; with Expect or Ping only what
// is there.
func loadUpload(x *exchange.Exchange, lengthFirst bool) (*Upload, error) {
	if !x.Out.HasBody {
		return &noUpload, nil
	}
	if up, ok := x.State[exchange.StateUpload].(*Upload); ok && up.x == x && (x.Req.Length != 0 || up.length == 0) {
		return up, nil
	}
	if x.State[exchange.StateUpload] != nil && x.Req.Length != 0 { // an HTTP/2 member was tried first: the beginning of the body is gone
		return &noUpload, &exchange.BodyError{Status: 502, Err: errTaken}
	}
	up := uploads.Get().(*Upload)
	up.x = x
	x.State[exchange.StateUpload] = up
	x.OnFinish(up)
	return up, up.load(x.Out.Spool || lengthFirst && x.Req.Length < 0)
}

// Finish ends it with its exchange.
func (u *Upload) Finish(x *exchange.Exchange) {
	x.State[exchange.StateUpload] = nil
	if u.file != nil {
		u.file.Close()
	}
	own := u.own
	*u = Upload{own: own}
	poison.Bytes(own)
	poison.Put(&uploads, u)
}

func (u *Upload) load(spool bool) error {
	x := u.x
	waits := x.Out.Expect || x.Out.Ping
	if x.Req.Expect100 && !x.Out.Expect && x.Front != nil {
		if err := x.Front.Continue("", nil); err != nil {
			return &exchange.BodyError{Status: 400, Err: err}
		}
	}
	u.length = x.Req.Length
	u.look()
	if !u.whole && !waits && !(u.ready && len(u.first) >= prefetch && !spool) {
		if err := u.read(prefetch); err != nil {
			return err
		}
	}
	if !u.whole && spool {
		return u.spool()
	}
	return nil
}

// look sees what lies ready. Whether that is all is asked first: more of a stream of HTTP/2 may come in between.
func (u *Upload) look() {
	from := u.x.Req.Body
	b, ok := from.(exchange.Complete)
	if ok {
		done, err := b.Complete()
		u.whole = done && err == nil
	}
	u.first, u.ready = from.Buffered(), true
	if !ok {
		u.whole = u.length >= 0 && int64(len(u.first)) >= u.length
	}
	if u.whole {
		u.length = int64(len(u.first))
	}
}

// read reads until most bytes are there, or all.
func (u *Upload) read(most int) error {
	own := u.buffer()
	u.ready = false
	n := 0
	for n < most && (u.length < 0 || int64(n) < u.length) {
		k, err := u.x.Req.Body.Read(own[n:most])
		if n += k; err == io.EOF {
			u.whole = true
			break
		} else if err != nil {
			return err
		}
	}
	u.first = own[:n]
	if u.whole = u.whole || int64(n) == u.length; u.whole {
		u.length = int64(n)
	}
	return nil
}

// buffer is the upload's own: prefetch bytes.
func (u *Upload) buffer() []byte {
	if u.own == nil {
		u.own = make([]byte, prefetch)
	}
	return u.own
}

// full is the failure to keep a body: the disk's, not the client's.
func full(err error) error { return &exchange.BodyError{Status: 500, Err: err} }

// spool reads all of it, into a file without a name.
func (u *Upload) spool() error {
	u.x.Block()
	f, err := os.CreateTemp("", "modproxy.tmp.")
	if err != nil {
		return full(err)
	}
	os.Remove(f.Name())
	u.file = f
	n := int64(len(u.first))
	if u.ready {
		u.x.Req.Body.Discard(len(u.first))
	}
	if _, err := f.Write(u.first); err != nil {
		return full(err)
	}
	for p := u.buffer(); ; {
		k, err := u.x.Req.Body.Read(p)
		u.x.Block()
		if _, werr := f.Write(p[:k]); werr != nil {
			return full(werr)
		}
		n += int64(k)
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	u.first, u.ready, u.length = nil, false, n
	return nil
}

// Over reports whether a member that asks for each piece has had all of it.
func (u *Upload) Over() bool { return u.none || u.whole && u.at == len(u.first) }

// rewind begins it again, for another attempt.
func (u *Upload) rewind() {
	if u.none {
		return
	}
	u.at, u.out = 0, 0
	if u.file != nil {
		u.file.Seek(0, io.SeekStart)
	}
}

// short reports whether first is the whole body, so that it goes with the head.
func (u *Upload) short() bool { return u.none || u.whole }

// wentWithHead is told once a body that is short was sent.
func (u *Upload) wentWithHead() {
	if !u.none {
		u.out = int64(len(u.first))
		u.taken()
	}
}

// taken tells the client's body that what lay ready was sent.
func (u *Upload) taken() {
	if u.ready {
		u.x.Req.Body.Discard(len(u.first))
		u.ready = false
	}
	u.gone = u.gone || !u.none && !u.whole
}

// next reads what comes behind first.
func (u *Upload) next(p []byte) (int, error) {
	if u.file == nil {
		return u.x.Req.Body.Read(p)
	}
	u.x.Block()
	return u.file.Read(p)
}

// pull is the next n bytes of it for a member that asks for each piece, fewer at its end. The error is io.EOF behind
// that.
func (u *Upload) pull(n int) ([]byte, error) {
	k := len(u.first) - u.at
	if k >= n || u.whole && k > 0 {
		k = min(n, k)
		u.at += k
		return u.first[u.at-k : u.at], nil
	}
	if u.whole {
		u.taken()
		return nil, io.EOF
	}
	return u.refill(n)
}

// refill is pull beyond what was read at first: what is left of that comes first.
func (u *Upload) refill(n int) ([]byte, error) {
	if n > len(u.buffer()) {
		u.own = append(make([]byte, 0, n), u.own...)[:n]
	}
	p := u.own[:n]
	k := copy(p, u.first[u.at:])
	u.taken()
	u.first, u.at = nil, 0
	for k < n {
		m, err := u.next(p[k:])
		if k += m; err == io.EOF {
			if u.whole = true; k == 0 {
				return nil, io.EOF
			}
			return p[:k], nil
		} else if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// shortRest is how much of a body is sent although the member has answered already, so that its connection can be
// kept (httpd: mod_proxy_http.c stream_reqbody sends all).
const shortRest = 256 << 10

// brief reports whether the body is known to be small.
func (u *Upload) brief() bool { return u.length >= 0 && u.length <= shortRest }

// soonDone reports whether the rest of the body is small, or here: then it is sent although the member has
// answered already.
func (u *Upload) soonDone() bool {
	return u.length >= 0 && u.length-u.out <= shortRest || u.moreIsHere()
}

// moreIsHere reports whether the next bytes can be read without waiting.
func (u *Upload) moreIsHere() bool {
	b, ok := u.x.Req.Body.(exchange.Ready)
	return u.file != nil || ok && b.Ready()
}

// coming reports whether the client may still have to send some of it.
func (u *Upload) coming() bool {
	if u.short() || u.file != nil {
		return false
	}
	b, ok := u.x.Req.Body.(exchange.Complete)
	if !ok {
		return true
	}
	done, _ := b.Complete()
	return !done
}
