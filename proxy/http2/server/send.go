package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

var errShort = errors.New("http2: the body ended before its length")

// bulk is how much of an answer's body is held at a time.
const bulk = 16 << 10

// send sends the answer that x.Res holds, and notes what happened.
func (st *stream) send(ctx context.Context) {
	x := &st.x
	res := &x.Res
	switch {
	case res.Drop:
		st.cut = true
		res.Clear()
		return
	case res.Status < 200 || res.Status > 999: // a tunnel among them: HTTP/2 has none
		st.instead(ctx, 500)
		return
	}
	if name, value := res.InvalidField(); name+value != "" {
		x.Log("http", exchange.Error, nil, "AH02430: Response header '"+name+"' value of '"+value+"' contains invalid characters, aborting request")
		st.instead(ctx, 500)
		return
	}
	size := st.fields()
	if n := x.Server.HTTP2.HeaderBlock; n > 0 && size > n {
		x.Log("http2", exchange.Error, nil, "AH10402: the answer's header is longer than H2MaxHeaderBlockLen")
		clear(st.w.Header())
		st.instead(ctx, 500)
		return
	}
	st.passOver()
	err := st.deliver(ctx, size)
	if res.Body != nil {
		res.Body.Close()
		res.Body = nil
	}
	if err != nil {
		st.cut = true
	}
}

// instead sends an own page in place of an answer that cannot be sent; when that fails as well, a head
// alone.
func (st *stream) instead(ctx context.Context, status int) {
	if st.second {
		st.bare(status)
		st.x.Res.Header.Reset()
	} else {
		st.second = true
		st.x.Res.Clear()
		st.x.Res.Always.Reset()
		if !st.guarded(func() { st.c.s.app.Refuse(ctx, &st.x, &exchange.Problem{Status: exchange.Status(status)}) }) {
			st.bare(status)
		}
	}
	st.send(ctx)
}

// fields gives x/net the answer's head, and returns about how long it is.
func (st *stream) fields() (size int) {
	x := &st.x
	res, to := &x.Res, st.w.Header()
	for _, list := range [...]*exchange.Header{&res.Always, &res.Header} {
		for i := range list.F {
			f := &list.F[i]
			if wire.ConnectionField[f.ID] || f.ID == wire.ContentLength || !x.Forwarded() && (f.ID == wire.Date || f.ID == wire.Server) {
				continue
			}
			key := exchange.CanonicalName(f)
			if to[key] != nil && (f.ID == wire.Date || f.ID == wire.Server || f.ID == wire.ContentType) {
				continue
			}
			to[key] = append(to[key], strings.Clone(f.Value))
			size += len(f.Name) + len(f.Value) + 4
		}
	}
	mergeVary(to)
	if to["Date"] == nil {
		to.Set("Date", x.Start.UTC().Format(http.TimeFormat))
	}
	if to["Server"] == nil && x.Server.Token != "" {
		to.Set("Server", x.Server.Token)
	}
	if _, named := to["Content-Type"]; !named || wire.Bodiless(res.Status) && !res.Proxied && !res.Typed {
		to["Content-Type"] = nil // keeps x/net from guessing
	}
	if n, ok := said(x); ok {
		to.Set("Content-Length", strconv.FormatInt(n, 10))
	}
	return size
}

// mergeVary makes all Vary fields one, each name once (httpd: http_filters.c fixup_vary).
func mergeVary(to http.Header) {
	if len(to["Vary"]) == 0 {
		return
	}
	var names wire.NameSet
	for _, v := range to["Vary"] {
		names.AddList(v)
	}
	to["Vary"] = []string{strings.Join(names.Names(), ",")}
}

// said is the Content-Length that the client is told.
func said(x *exchange.Exchange) (n int64, ok bool) {
	res := &x.Res
	switch {
	case wire.Bodiless(res.Status):
		return 0, false
	case x.HeadOnly:
		return res.Length, res.Length > 0 && !res.ErrorPage
	case res.Length < 0 && res.Body != nil:
		return 0, false
	}
	return max(res.Length, 0), true
}

// deliver sends head and body; size is about the head's.
func (st *stream) deliver(ctx context.Context, size int) error {
	x := &st.x
	res := &x.Res
	st.w.WriteHeader(res.Status)
	res.Wrote += int64(size)
	res.FirstByte = time.Now()
	if x.HeadOnly || wire.Bodiless(res.Status) || res.Body == nil || res.Length == 0 {
		return nil
	}
	if err := st.copy(); err != nil {
		if ctx.Err() != nil {
			res.Aborted = true
		}
		return err
	}
	for i := range res.Trailer.F {
		if f := &res.Trailer.F[i]; wire.IsToken(f.Name) && wire.IsValue(f.Value) && !wire.ConnectionField[f.ID] {
			st.w.Header().Add(http.TrailerPrefix+f.Name, strings.Clone(f.Value))
		}
	}
	return nil
}

// lingerTime is for how long what a client still sends is passed over.
const lingerTime = 2 * time.Second

// passOver reads what nobody wanted of the request's body before the answer is sent: a stream whose
// client still sends is reset behind the answer, and there are clients that forget the answer then. A
// body that another goroutine reads is none of our business.
func (st *stream) passOver() {
	shared, ok := st.x.State[exchange.StateUpload].(exchange.BackgroundReader)
	if ok && shared.ReadsInBackground() || st.r.ContentLength == 0 || st.body.whole.Load() || st.body.err != nil {
		return
	}
	if st.buf == nil {
		st.buf = make([]byte, bulk)
	}
	t := time.AfterFunc(lingerTime, st.ctl.endReads)
	defer t.Stop()
	for {
		if _, err := st.body.Read(st.buf); err != nil {
			return
		}
	}
}

// copy copies the body; what is there goes out before the next wait.
func (st *stream) copy() error {
	res := &st.x.Res
	if st.buf == nil {
		st.buf = make([]byte, bulk)
	}
	for res.Length < 0 || res.Sent < res.Length {
		p, end := st.next()
		if res.Length >= 0 {
			p = p[:min(int64(len(p)), res.Length-res.Sent)]
		}
		if err := st.pass(p); err != nil {
			res.Aborted = true
			return err
		}
		if end == io.EOF {
			break
		} else if end != nil {
			return end
		}
	}
	if res.Sent < res.Length {
		return errShort
	}
	return nil
}

// next is the next bytes of the body: those at hand, else what a wait brings.
func (st *stream) next() ([]byte, error) {
	src := st.x.Res.Body
	if held := src.Buffered(); len(held) > 0 {
		n := copy(st.buf, held)
		src.Discard(n)
		return st.buf[:n], nil
	}
	if err := watched(st.timeout(), st.ctl.endWrites, st.flush); err != nil {
		return nil, err
	}
	n, err := src.Read(st.buf)
	return st.buf[:n], err
}

// flush sends what was written.
func (st *stream) flush() error { return http.NewResponseController(st.w).Flush() }

// pass sends bytes of the body, in frames as long as H2MaxDataFrameLen lets them be. It waits until the
// client's windows let them through.
func (st *stream) pass(p []byte) error {
	res := &st.x.Res
	most := or(st.c.server.HTTP2.FrameLen, len(p))
	for len(p) > 0 {
		part := p[:min(most, len(p))]
		err := watched(st.timeout(), st.ctl.endWrites, func() error {
			_, err := st.w.Write(part)
			if err == nil && most < bulk {
				err = st.flush()
			}
			return err
		})
		if err != nil {
			return err
		}
		res.Sent += int64(len(part))
		res.Wrote += int64(len(part))
		p = p[len(part):]
	}
	return nil
}
