package client

import (
	"errors"
	"io"
	"os"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/internal/wire"
)

// prefetch is how much of a body is read before a connection to a member is taken
// (httpd: proxy_util.c ap_proxy_prefetch_input: MAX_MEM_SPOOL less 80).
const prefetch = 16384 - 80

// shortRest is how much of a body is sent although the member has answered already, so that its connection can be
// kept (httpd: mod_proxy_http.c stream_reqbody sends all).
const shortRest = 256 << 10

// Sizes of buffers: bulk is for long bodies that are known to flow.
const (
	bulkSize = 64 << 10
	minRoom  = 4 << 10 // less room for reading a body is none
)

// bulk is a buffer for long bodies.
type bulk struct{ b [bulkSize]byte }

var errTaken = errors.New("http1: the beginning of the body is gone")

// upload is the client's body on its way to a member. What of it is still unsent is in one place: first,
// which no attempt has sent yet, then what the client has not sent yet. A further attempt begins with
// the same first. Owned by the goroutine that serves the exchange.
type upload struct {
	owner  *Backend
	x      *exchange.Exchange
	none   bool   // there is no body
	first  []byte // what was read, or lies ready with the client's body
	ready  bool   // first is still the client's body's own: it is taken from there when it is sent
	whole  bool   // first is all of it
	length int64  // to be announced; -1 chunked
	file   *os.File
	gone   bool  // bytes beyond first were taken: no further attempt is possible
	out    int64 // bytes of the body that this attempt has sent
	own    []byte
}

// noUpload is for requests without a body.
var noUpload = upload{none: true}

// load is what x.Out says of its body, with what has to be read of it before a connection is taken:
// 16 KiB or all of it; with Spool all of it; with Expect or Ping only what is there.
func (b *Backend) load(x *exchange.Exchange) (*upload, error) {
	if !x.Out.HasBody {
		return &noUpload, nil
	}
	if up, ok := x.State[exchange.StateUpload].(*upload); ok && up.x == x && (x.Req.Length != 0 || up.length == 0) {
		return up, nil
	}
	if x.State[exchange.StateUpload] != nil && x.Req.Length != 0 { // a member of another scheme was tried first: the beginning of the body is gone
		return &noUpload, &exchange.BodyError{Status: 502, Err: errTaken}
	}
	up := b.uploads.Get().(*upload)
	up.x = x
	x.State[exchange.StateUpload] = up
	x.OnFinish(up)
	return up, up.load()
}

// Finish ends it with its exchange.
func (u *upload) Finish(x *exchange.Exchange) {
	x.State[exchange.StateUpload] = nil
	if u.file != nil {
		u.file.Close()
	}
	own := u.own
	*u = upload{owner: u.owner, own: own}
	poison.Bytes(own)
	poison.Put(&u.owner.uploads, u)
}

func (u *upload) load() error {
	x := u.x
	waits := x.Out.Expect || x.Out.Ping
	if x.Req.Expect100 && !x.Out.Expect {
		if err := x.Front.Continue("", nil); err != nil {
			return &exchange.BodyError{Status: 400, Err: err}
		}
	}
	u.length = x.Req.Length
	u.look()
	if !u.whole && !waits && !(u.ready && len(u.first) >= prefetch && !x.Out.Spool) {
		if err := u.read(prefetch); err != nil {
			return err
		}
	}
	if !u.whole && x.Out.Spool {
		return u.spool()
	}
	return nil
}

// look sees what lies ready.
func (u *upload) look() {
	from := u.x.Req.Body
	u.first, u.ready = from.Buffered(), true
	if b, ok := from.(exchange.Complete); ok {
		done, err := b.Complete()
		u.whole = done && err == nil
	} else {
		u.whole = u.length >= 0 && int64(len(u.first)) >= u.length
	}
	if u.whole {
		u.length = int64(len(u.first))
	}
}

// read reads until most bytes are there, or all.
func (u *upload) read(most int) error {
	own := u.room()
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

// room is the upload's own buffer: prefetch bytes.
func (u *upload) room() []byte {
	if u.own == nil {
		u.own = make([]byte, prefetch)
	}
	return u.own
}

// full is the failure to keep a body: the disk's, not the client's.
func full(err error) error { return &exchange.BodyError{Status: 500, Err: err} }

// spool reads all of it, into a file without a name.
func (u *upload) spool() error {
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
	for p := u.room(); ; {
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

// appendLength appends the field that says where the body ends (httpd: mod_proxy_http.c add_cl,
// add_te_chunked).
func (u *upload) appendLength(b []byte) []byte {
	switch {
	case u.none:
		return b
	case u.length < 0:
		return append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	b = append(b, "Content-Length: "...)
	b = wire.AppendInt(b, u.length)
	return append(b, "\r\n"...)
}

// short tells whether first is the whole body, so that it goes with the head.
func (u *upload) short() bool { return u.none || u.whole }

// taken tells the client's body that what lay ready was sent.
func (u *upload) taken() {
	if u.ready {
		u.x.Req.Body.Discard(len(u.first))
		u.ready = false
	}
	u.gone = u.gone || !u.none && !u.whole
}

// send writes head and then all of the body. early: the member answers before it has all; then nothing
// more is to be sent.
func (u *upload) send(c *backend.Conn, head []byte) (early bool, err error) {
	u.out = 0
	if err := u.piece(c, head, u.first); err != nil {
		return errors.Is(err, backend.ErrEarly), u.fault(c, err)
	}
	u.taken()
	if u.whole {
		return u.finish(c)
	}
	var big *bulk // only while the client sends faster than we read: a slow one costs no more than what is its own
	defer func() { u.putBulk(big) }()
	for p := u.room(); ; {
		if c.Readable() && !u.soonDone() {
			return true, nil
		}
		n, err := u.next(p)
		if n > 0 {
			if err := u.piece(c, nil, p[:n]); err != nil {
				return errors.Is(err, backend.ErrEarly), u.fault(c, err)
			}
		}
		switch flows := n == len(p) && u.moreIsHere(); {
		case flows && big == nil:
			big = u.owner.bulks.Get().(*bulk)
			p = big.b[:]
		case !flows && big != nil:
			u.putBulk(big)
			big, p = nil, u.room()
		}
		if err == io.EOF {
			return u.finish(c)
		} else if err != nil {
			f := c.Fail(backend.ClientBody, err)
			f.Sent = true
			return false, f
		}
	}
}

// brief tells whether the body is known to be small.
func (u *upload) brief() bool { return u.length >= 0 && u.length <= shortRest }

// soonDone tells whether the rest of the body is small, or here: then it is sent although the member has
// answered already, so that the connection can be kept (httpd: mod_proxy_http.c stream_reqbody sends all).
func (u *upload) soonDone() bool {
	if u.length >= 0 && u.length-u.out <= shortRest {
		return true
	}
	return u.moreIsHere()
}

func (u *upload) putBulk(p *bulk) {
	if p != nil {
		poison.Bytes(p.b[:])
		poison.Put(&u.owner.bulks, p)
	}
}

// moreIsHere tells whether the next bytes can be read without waiting.
func (u *upload) moreIsHere() bool {
	b, ok := u.x.Req.Body.(exchange.Ready)
	return u.file != nil || ok && b.Ready()
}

// next is what comes behind first.
func (u *upload) next(p []byte) (int, error) {
	if u.file == nil {
		return u.x.Req.Body.Read(p)
	}
	u.x.Block()
	return u.file.Read(p)
}

// rewind begins a spooled body again.
func (u *upload) rewind() {
	if u.file != nil {
		u.file.Seek(0, io.SeekStart)
	}
}

// piece writes a part of the body, as a chunk if it is chunked.
func (u *upload) piece(c *backend.Conn, head, p []byte) error {
	u.out += int64(len(p))
	if u.length >= 0 {
		return c.WriteBody(head, p)
	}
	if len(p) > 0 {
		var size [wire.ChunkHead]byte
		head = append(head, wire.AppendChunkHead(size[:0], len(p))...)
	}
	if err := c.WriteBody(head, p); err != nil || len(p) == 0 {
		return err
	}
	return c.WriteBody(crlf, nil)
}

var (
	crlf      = []byte("\r\n")
	lastChunk = []byte(wire.LastChunk)
)

// finish writes what ends a chunked body.
func (u *upload) finish(c *backend.Conn) (early bool, err error) {
	if u.length >= 0 {
		return false, nil
	}
	if err := c.WriteBody(lastChunk, nil); err != nil {
		return errors.Is(err, backend.ErrEarly), u.fault(c, err)
	}
	return false, nil
}

// fault is what a failed write means. A member that answers early and closes is heard; what it said
// may still be there.
func (u *upload) fault(c *backend.Conn, err error) error {
	if errors.Is(err, backend.ErrEarly) {
		return nil
	}
	kind := backend.WriteBody
	if u.none || !u.gone && u.ready {
		kind = backend.WriteHead
	}
	f := c.Fail(kind, err)
	f.Sent, f.Partial = u.gone, u.coming()
	return f
}

// coming tells whether the client may still have to send some of it.
func (u *upload) coming() bool {
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
