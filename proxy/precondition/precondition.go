// Package precondition judges the conditions of requests (RFC 9110 section 13): If-Match, If-None-Match,
// If-Modified-Since, If-Unmodified-Since, If-Range.
//
//	the request's fields  +  a Document's ETag and Last-Modified  --Judge-->  0, 304 or 412
//	                                                              --Contradicts-->  may a kept answer be used at all?
//
// Reading order: precondition.go.
package precondition

import (
	"net/http"
	"time"

	"balancerd/proxy/exchange"
)

// Document is what conditions and ranges are judged by.
type Document struct {
	Modified time.Time // whole seconds; zero: not known, and taken for now (httpd: r->mtime)
	Tag      string    // ETag; "" for none
	Asked    time.Time // when the answer was made: its Date, or when the request came
}

// modified is Modified in seconds since the epoch.
func (d *Document) modified() int64 {
	if d.Modified.IsZero() {
		return time.Now().Unix()
	}
	return d.Modified.Unix()
}

// Of is the document whose answer has these fields, of a request that came at start.
func Of(h *exchange.Header, start time.Time) Document {
	d := Document{Tag: h.Get("ETag"), Asked: start}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		d.Modified = t
	}
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		d.Asked = t
	}
	return d
}

// outcome of one condition (httpd: ap_condition_e).
type outcome uint8

const (
	absent  outcome = iota
	fails           // the field's demand is not fulfilled
	weakly          // fulfilled, by a date or tag that may lie
	exactly         // fulfilled
)

// Judge judges the request's preconditions: 0 to go on, 304 or 412
// (httpd: http_protocol.c ap_meets_conditions; RFC 9110 section 13.2.2 differs where httpd does).
func Judge(x *exchange.Exchange, d *Document) int {
	h := &x.Req.Header
	if ifMatch(h, d) == fails {
		return http.StatusPreconditionFailed
	}
	unmodified := ifUnmodifiedSince(h, d)
	if unmodified >= weakly {
		return http.StatusPreconditionFailed
	}
	read := x.Req.IsGet()
	none := ifNoneMatch(h, d, read)
	if none >= weakly && !read {
		return http.StatusPreconditionFailed
	}
	modified := ifModifiedSince(h, d)
	if ifRange(h, d) != absent {
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

func ifMatch(h *exchange.Header, d *Document) outcome {
	v, ok := h.Lookup("If-Match")
	switch {
	case !ok:
		return absent
	case v != "" && v[0] == '*' || d.Tag != "" && tagListed(h.Joined("If-Match"), d.Tag, false):
		return exactly
	}
	return fails
}

func ifNoneMatch(h *exchange.Header, d *Document, read bool) outcome {
	v, ok := h.Lookup("If-None-Match")
	ranged := h.Has("Range")
	switch {
	case !ok:
		return absent
	case v != "" && v[0] == '*':
		return exactly
	case d.Tag == "":
		return fails
	case read && !ranged && tagListed(h.Joined("If-None-Match"), d.Tag, true):
		return weakly
	case (!read || ranged) && tagListed(h.Joined("If-None-Match"), d.Tag, false):
		return exactly
	}
	return fails
}

// aged grades a date that fits: within a minute of the change it proves little, and for a range
// nothing (RFC 9110 section 8.8.2.2).
func aged(h *exchange.Header, d *Document) outcome {
	switch {
	case d.Asked.Unix() >= d.modified()+60:
		return exactly
	case h.Has("Range"):
		return fails
	}
	return weakly
}

func ifUnmodifiedSince(h *exchange.Header, d *Document) outcome {
	v, ok := h.Lookup("If-Unmodified-Since")
	if !ok {
		return absent
	}
	if t, ok := date(v); ok && d.modified() > t {
		return aged(h, d)
	}
	return fails
}

func ifModifiedSince(h *exchange.Header, d *Document) outcome {
	v, ok := h.Lookup("If-Modified-Since")
	if !ok {
		return absent
	}
	if t, ok := date(v); ok && t >= d.modified() && t <= d.Asked.Unix() {
		return aged(h, d)
	}
	return fails
}

// ifRange is absent when there is no range to condition.
func ifRange(h *exchange.Header, d *Document) outcome {
	v, ok := h.Lookup("If-Range")
	if !ok || !h.Has("Range") {
		return absent
	}
	if v != "" && v[0] == '"' {
		if v == d.Tag {
			return exactly
		}
		return fails
	}
	if t, ok := date(v); ok && t == d.modified() && aged(h, d) == exactly {
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

// AllowsRange reports whether If-Range lets a range of the document be served: it is absent, or names the document's
// strong ETag or the date of its last change, which must lie a minute back to prove anything (RFC 9110 section 8.8.2.2;
// httpd: http_protocol.c ap_condition_if_range).
func AllowsRange(x *exchange.Exchange, d *Document) bool { return ifRange(&x.Req.Header, d) != fails }

// Contradicts reports whether a condition is there that the document does not meet: a kept answer cannot be judged by it,
// whoever made the answer has to (RFC 9110 section 13.1; httpd: cache_storage.c cache_select).
func Contradicts(x *exchange.Exchange, d *Document) bool {
	h := &x.Req.Header
	return ifMatch(h, d) == fails || ifUnmodifiedSince(h, d) == fails || ifNoneMatch(h, d, x.Req.IsGet()) == fails ||
		ifModifiedSince(h, d) == fails || ifRange(h, d) == fails
}

// tagListed reports whether a field like If-None-Match names the tag. weak: W/ makes no difference
// (RFC 9110 section 8.8.3.2; httpd: util.c find_list_item).
func tagListed(list, tag string, weak bool) bool {
	bare := tag
	if len(tag) > 2 && tag[:2] == "W/" {
		if !weak {
			return false
		}
		bare = tag[2:]
	}
	for item := range exchange.ListItems(list) {
		if item == bare || weak && len(item) > 2 && item[:2] == "W/" && item[2:] == bare {
			return true
		}
	}
	return false
}
