package headers

import (
	"context"
	"slices"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// reply is what is done to a response before it is sent. Immutable.
type reply struct {
	always, response []edit

	types bool // some edit is of Content-Type
	check bool // some edit may make what a field must not be
}

// newReply is for the edits that are made late. typed: an early one was of Content-Type. nil: nothing is to be done.
func newReply(always, response []edit, typed bool) *reply {
	if len(always)+len(response) == 0 && !typed {
		return nil
	}
	r := &reply{always: always, response: response, types: typed}
	for _, list := range [...][]edit{always, response} {
		for i := range list {
			r.types = r.types || list[i].isType
			r.check = r.check || !list[i].safe()
		}
	}
	return r
}

// safe reports whether the edit can only make a proper field.
func (e *edit) safe() bool {
	switch e.act {
	case unset, echo, note:
		return true
	}
	return validName(e.name) && e.value.safe()
}

func (r *reply) step(_ context.Context, x *exchange.Exchange) error {
	if x.Res.ErrorPage {
		r.errorPage(x)
	} else {
		t := r.target(x, &x.Res.Always)
		apply(r.always, &t)
		t.h = &x.Res.Header
		apply(r.response, &t)
		t.writeType()
	}
	if r.check && !clean(x) {
		return exchange.Status(500)
	}
	return nil
}

// errorPage applies the always list alone, and to an empty header: what the error itself brought
// (WWW-Authenticate) stands behind and cannot be edited (httpd: http_protocol.c
// ap_send_error_response moves it out of the way).
func (r *reply) errorPage(x *exchange.Exchange) {
	if len(r.always) == 0 {
		return
	}
	var own exchange.Header
	t := r.target(x, &own)
	apply(r.always, &t)
	x.Res.Always.F = slices.Concat(own.F, x.Res.Always.F)
	t.writeType()
}

// target begins with the response's type: a member's is a field as well, ours is not (httpd keeps it in
// r->content_type alone). A response without one has what its name says, or what was said early; one
// without a body has fields alone.
func (r *reply) target(x *exchange.Exchange, h *exchange.Header) target {
	t := target{x: x, h: h, types: r.types && !exchange.Bodiless(x.Res.Status)}
	x.Res.Typed = r.types
	if !t.types {
		return t
	}
	t.ct = x.Res.Header.Get("Content-Type")
	if !x.Res.Proxied {
		x.Res.Header.Del("Content-Type")
	}
	if plan := site.PlanOf(x); t.ct == "" && !x.Res.ErrorPage && plan != nil {
		t.ct = plan.MediaType(x)
	}
	if t.ct == "" {
		t.ct = x.Res.Type
	}
	return t
}

// writeType has the type win over the fields (httpd: http_filters.c ap_http_header_filter).
func (t *target) writeType() {
	r := &t.x.Res
	switch {
	case !t.types, t.ct == "":
	case r.Always.Has("Content-Type"):
		r.Always.Set("Content-Type", t.ct)
		r.Header.Del("Content-Type")
	default:
		r.Header.Set("Content-Type", t.ct)
	}
}

// clean takes improper fields out and reports whether there were none (httpd: http_filters.c
// check_headers).
func clean(x *exchange.Exchange) bool {
	ok := true
	for _, h := range [...]*exchange.Header{&x.Res.Always, &x.Res.Header} {
		h.Filter(func(f *exchange.Field) bool {
			msg := improper(f)
			if msg != "" {
				x.Log("http", exchange.Error, nil, msg+", aborting request")
				ok = false
			}
			return msg == ""
		})
	}
	return ok
}

func improper(f *exchange.Field) string {
	switch {
	case f.Valid():
		return ""
	case f.Name == "":
		return "AH02428: Empty response header name"
	case !validName(f.Name):
		return "AH02429: Response header name '" + f.Name + "' contains invalid characters"
	}
	return "AH02430: Response header '" + f.Name + "' value of '" + f.Value + "' contains invalid characters"
}

// validName: a token (RFC 9110 section 5.6.2).
func validName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) >= 0) {
			return false
		}
	}
	return s != ""
}

// validValue: no control characters but the tab (RFC 9110 section 5.5).
func validValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
