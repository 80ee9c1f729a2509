package site

import (
	"io"
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
)

// cut gives a client that asked for a range that range, once everything has edited the head of the whole
// answer (httpd: byterange_filter.c ap_byterange_filter, behind mod_headers). The error is 416.
func cut(x *exchange.Exchange) error {
	r := &x.Res
	if r.Status != 200 || r.Length <= 0 || r.ErrorPage || !x.Req.Header.Has("Range") || r.Header.Has("Content-Range") {
		return nil
	}
	if b, ok := r.Body.(exchange.Ranger); ok {
		return b.Cut(x)
	}
	if r.Proxied && part(x) {
		return exchange.Status(416)
	}
	return nil
}

// part cuts a member's whole answer to one range of it (RFC 9110 section 14.2). More than one range is
// answered with the whole, which the RFC allows. unsatisfiable: nothing of the range is there.
func part(x *exchange.Exchange) (unsatisfiable bool) {
	r := &x.Res
	field := x.Req.Header.Get("Range")
	if x.Req.Method != "GET" || !ifRange(x) {
		return false
	}
	first, last, ok := oneRange(field, r.Length)
	if !ok {
		return false
	}
	if first >= r.Length {
		return true
	}
	size := x.Arena.Int(r.Length)
	r.Status, r.Reason = 206, ""
	r.Header.Set("Content-Range", x.Arena.Join("bytes ", x.Arena.Int(first), "-", x.Arena.Int(last), "/", size))
	r.Length = last - first + 1
	r.Body = &window{src: r.Body, skip: first, left: r.Length}
	return false
}

// oneRange reads "bytes=5-9", "bytes=5-" or "bytes=-5" for a body of size bytes. last is within it.
func oneRange(field string, size int64) (first, last int64, ok bool) {
	unit, spec, found := strings.Cut(field, "=")
	if !found || !exchange.EqualFold(unit, "bytes") || strings.ContainsRune(spec, ',') {
		return 0, 0, false
	}
	from, to, found := strings.Cut(strings.TrimSpace(spec), "-")
	if !found {
		return 0, 0, false
	}
	if from == "" {
		n, err := strconv.ParseUint(to, 10, 63)
		return max(size-int64(n), 0), size - 1, err == nil && n > 0 && size > 0
	}
	a, err := strconv.ParseUint(from, 10, 63)
	if err != nil {
		return 0, 0, false
	}
	last = size - 1
	if to != "" {
		b, err := strconv.ParseUint(to, 10, 63)
		if err != nil || b < a {
			return 0, 0, false
		}
		last = min(last, int64(b))
	}
	return int64(a), last, true
}

// ifRange tells whether If-Range lets a range be served: it is absent, or names the answer's strong
// ETag or its Last-Modified.
func ifRange(x *exchange.Exchange) bool {
	want, ok := x.Req.Header.Lookup("If-Range")
	if !ok {
		return true
	}
	if strings.HasPrefix(want, `"`) {
		return want == x.Res.Header.Get("ETag")
	}
	return want == x.Res.Header.Get("Last-Modified")
}

// window is a part of a body.
type window struct {
	src        exchange.Source
	skip, left int64
}

func (w *window) Read(p []byte) (int, error) {
	for w.skip > 0 {
		n, err := w.src.Read(p[:min(int64(len(p)), w.skip)])
		w.skip -= int64(n)
		if err != nil {
			return 0, unexpected(err)
		}
	}
	if w.left == 0 {
		return 0, io.EOF
	}
	n, err := w.src.Read(p[:min(int64(len(p)), w.left)])
	w.left -= int64(n)
	if err == io.EOF && w.left > 0 {
		return n, io.ErrUnexpectedEOF
	}
	if n > 0 {
		return n, nil
	}
	return n, err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (w *window) Buffered() []byte {
	b := w.src.Buffered()
	if n := min(w.skip, int64(len(b))); n > 0 {
		w.src.Discard(int(n))
		w.skip -= n
		b = w.src.Buffered()
	}
	if w.skip > 0 {
		return nil
	}
	return b[:min(w.left, int64(len(b)))]
}

func (w *window) Discard(n int) {
	w.src.Discard(n)
	w.left -= int64(n)
}

func (w *window) Close() error { return w.src.Close() }
