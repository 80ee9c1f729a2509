package static

import (
	"net/http"
	"time"

	"balancerd/proxy/exchange"
)

// document is the facts of a file that conditions and ranges are judged by.
type document struct {
	modified time.Time // whole seconds
	tag      string    // ETag; "" for none
	size     int64
}

// outcome of one condition (httpd: ap_condition_e).
type outcome uint8

const (
	absent  outcome = iota
	fails           // the field's demand is not fulfilled
	weakly          // fulfilled, by a date or tag that may lie
	exactly         // fulfilled
)

// conditions judges the request's preconditions: 0 to go on, 304 or 412
// (httpd: http_protocol.c ap_meets_conditions; RFC 9110 section 13.2.2 differs where httpd does).
func conditions(x *exchange.Exchange, d *document) int {
	h := &x.Req.Header
	if ifMatch(h, d) == fails {
		return http.StatusPreconditionFailed
	}
	unmodified := ifUnmodifiedSince(x, d)
	if unmodified >= weakly {
		return http.StatusPreconditionFailed
	}
	read := x.Req.IsGet()
	none := ifNoneMatch(h, d, read)
	if none >= weakly && !read {
		return http.StatusPreconditionFailed
	}
	modified := ifModifiedSince(x, d)
	if ifRange(x, d) != absent {
		return 0
	}
	// One condition that is there and fails vetoes the 304 of the others.
	if unmodified == fails || none == fails || modified == fails || !read {
		return 0
	}
	if none >= weakly || modified >= weakly {
		return http.StatusNotModified
	}
	return 0
}

func ifMatch(h *exchange.Header, d *document) outcome {
	v, ok := h.Lookup("If-Match")
	switch {
	case !ok:
		return absent
	case v != "" && v[0] == '*' || d.tag != "" && tagListed(h.Joined("If-Match"), d.tag, false):
		return exactly
	}
	return fails
}

func ifNoneMatch(h *exchange.Header, d *document, read bool) outcome {
	v, ok := h.Lookup("If-None-Match")
	ranged := h.Has("Range")
	switch {
	case !ok:
		return absent
	case v != "" && v[0] == '*':
		return exactly
	case d.tag == "":
		return fails
	case read && !ranged && tagListed(h.Joined("If-None-Match"), d.tag, true):
		return weakly
	case (!read || ranged) && tagListed(h.Joined("If-None-Match"), d.tag, false):
		return exactly
	}
	return fails
}

// aged grades a date that fits: within a minute of the change it proves little, and for a range
// nothing (RFC 9110 section 8.8.2.2).
func aged(x *exchange.Exchange, d *document) outcome {
	switch {
	case now(x).Unix() >= d.modified.Unix()+60:
		return exactly
	case x.Req.Header.Has("Range"):
		return fails
	}
	return weakly
}

func ifUnmodifiedSince(x *exchange.Exchange, d *document) outcome {
	v, ok := x.Req.Header.Lookup("If-Unmodified-Since")
	if !ok {
		return absent
	}
	if t, ok := date(v); ok && d.modified.Unix() > t {
		return aged(x, d)
	}
	return fails
}

func ifModifiedSince(x *exchange.Exchange, d *document) outcome {
	v, ok := x.Req.Header.Lookup("If-Modified-Since")
	if !ok {
		return absent
	}
	if t, ok := date(v); ok && t >= d.modified.Unix() && t <= now(x).Unix() {
		return aged(x, d)
	}
	return fails
}

// ifRange is absent when there is no range to condition.
func ifRange(x *exchange.Exchange, d *document) outcome {
	h := &x.Req.Header
	v, ok := h.Lookup("If-Range")
	if !ok || !h.Has("Range") {
		return absent
	}
	if v != "" && v[0] == '"' {
		if v == d.tag {
			return exactly
		}
		return fails
	}
	if t, ok := date(v); ok && t == d.modified.Unix() && aged(x, d) == exactly {
		return exactly
	}
	return fails
}

// date is an HTTP date in seconds since the epoch.
func date(s string) (int64, bool) {
	t, err := http.ParseTime(s)
	if err != nil {
		return 0, false
	}
	return t.Unix(), true
}
