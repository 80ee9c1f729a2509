package site

import (
	"errors"
	"io"
	"net/http"

	"balancerd/proxy/exchange"
	"balancerd/proxy/precondition"
)

// memberRanges holds for members' answers: one range, once those that touch are merged (httpd's defaults say how
// many of them). The whole in the place of several is what the RFC allows
// (RFC 9110 section 14.2).
var memberRanges = &exchange.Ranges{Most: 1, Overlaps: 20, Reversals: 20}

// cut gives a client that asked for a range that range: the last change of an answer's contents, once filters and
// Reply steps have made of it what it is (httpd: byterange_filter.c ap_byterange_filter). The error is 416.
func cut(x *exchange.Exchange) error {
	r := &x.Res
	measureLength(r)
	field, asked := x.Req.Header.Lookup("Range")
	if !asked || r.Status != 200 || r.Length <= 0 || r.ErrorPage || r.Header.Has("Content-Range") {
		return nil
	}
	rules := r.Ranges
	if rules == nil {
		if !r.Proxied || x.Req.Method != "GET" {
			return nil
		}
		rules = memberRanges
	}
	if rules.Most == 0 || !ifRange(x) {
		return nil
	}
	spans, how := readRange(field, r.Length, rules)
	switch how {
	case whole:
		return nil
	case unsatisfiable:
		return exchange.Status(http.StatusRequestedRangeNotSatisfiable)
	}
	send(x, rules, spans)
	return nil
}

// measureLength finds out how long a body of unknown length is if all of it is at hand (httpd: protocol.c
// ap_content_length_filter).
func measureLength(r *exchange.Response) {
	if r.Length >= 0 || r.Body == nil {
		return
	}
	if c, ok := r.Body.(exchange.Complete); ok {
		done, err := c.Complete()
		switch {
		case done && err == nil && !r.ByPieces():
			r.Length = int64(len(r.Body.Buffered()))
		case errors.As(err, new(*exchange.Unmade)):
			r.Drop = true
		}
	}
}

// send makes the answer the spans of it. Several ones have a body that knows them, or are asked for by HEAD, which gets no
// body; else the whole is sent.
func send(x *exchange.Exchange, rules *exchange.Ranges, spans []span) {
	r := &x.Res
	from, direct := r.Body.(exchange.Sections)
	if len(spans) > 1 && !direct && x.Req.Method != "HEAD" {
		return
	}
	size := r.Length
	parts := make([]exchange.Part, 0, 2*len(spans)+1)
	if len(spans) == 1 {
		r.Header.Set("Content-Range", x.Arena.Join("bytes ", spans[0].text(size)))
		parts = append(parts, spans[0].part())
	} else {
		parts = multipart(r, rules, spans, parts)
	}
	r.Status, r.Reason, r.Length = http.StatusPartialContent, "", 0
	for i := range parts {
		r.Length += parts[i].Left()
	}
	switch {
	case direct:
		from.SendParts(parts)
	case len(spans) == 1:
		r.Body = &window{src: r.Body, skip: spans[0].first, left: r.Length}
	}
}

func (s span) part() exchange.Part {
	return exchange.Part{First: s.first, Length: s.last - s.first + 1}
}

// multipart makes several spans one body, each with a head of its own (RFC 9110 section 14.6; httpd:
// byterange_filter.c ap_byterange_filter).
func multipart(r *exchange.Response, rules *exchange.Ranges, spans []span, parts []exchange.Part) []exchange.Part {
	head := "\r\n--" + rules.Boundary + "\r\n"
	if t := r.Header.Get("Content-Type"); t != "" {
		head += "Content-type: " + t + "\r\n"
	}
	head += "Content-range: bytes "
	for _, s := range spans {
		parts = append(parts, exchange.Part{Text: head + s.text(r.Length) + "\r\n\r\n"}, s.part())
	}
	r.Header.Set("Content-Type", "multipart/byteranges; boundary="+rules.Boundary)
	return append(parts, exchange.Part{Text: "\r\n--" + rules.Boundary + "--\r\n"})
}

// ifRange reports whether If-Range lets a range be served.
func ifRange(x *exchange.Exchange) bool {
	if !x.Req.Header.Has("If-Range") {
		return true
	}
	d := precondition.Of(&x.Res.Header, x.Start)
	return precondition.AllowsRange(x, &d)
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
