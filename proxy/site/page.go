package site

import (
	"errors"
	"html"
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
)

// page answers with the ErrorDocument's text or URL, or with our own page.
func (s *Site) page(x *exchange.Exchange, err error) {
	status, reason, wordless, note := statusOf(err), "", false, x.RawNote
	var p *exchange.Problem
	if errors.As(err, &p) {
		reason, wordless = p.Reason, p.Wordless
		if p.Note != "" {
			note = p.Note
		}
	}
	if !exchange.Known(status) && reason == "" && !wordless {
		status, reason = 500, ""
	}
	location := x.Res.Header.Get("Location")
	if l := x.Res.Always.Get("Location"); l != "" {
		location = l
	}
	allow := x.Res.Header.Get("Allow")
	if l := x.Res.Always.Get("Allow"); l != "" {
		allow = l
	}
	x.Res.Clear()
	r := &x.Res
	r.Status, r.Reason, r.Local, r.ErrorPage = status, reason, true, true
	x.Undecided = false
	d := errorDocument(x, status)
	switch {
	case d == nil || x.Prev != nil && x.Prev.Error != 0:
	case d.URL != nil:
		r.Status, r.Reason, status = 302, "", 302
		location, reason, wordless, note = d.URL(x), "", false, ""
	case d.Text != nil:
		if text := d.Text(x); !x.Undecided {
			if !leads(status) {
				location = ""
			}
			s.frame(x, location, allow)
			r.Text(text)
			return
		}
	}
	if x.Undecided { // the document's own expression gave up
		x.Undecided = false
		r.Status, r.Reason, status, reason, wordless, note = 500, "", 500, "", false, ""
	}
	if !leads(status) {
		location = ""
	}
	s.frame(x, location, allow)
	if status == 304 || status == 204 {
		if r.Header.Reset(); location != "" && r.Always.Get("Location") == "" {
			r.Header.Set("Location", location)
		}
		return
	}
	words := reason
	switch {
	case wordless:
		words = "Unknown Reason"
		r.Reason = words
	case words == "" || !alphanumeric(words[0]):
		words = exchange.ReasonOf(status)
	}
	var u *unhandled
	again := ""
	if errors.As(err, &u) {
		again = additionally(u.status)
	}
	r.Text(ownPage(x, status, words, note, location, again))
}

// alphanumeric reports whether a member's reason that begins so is good enough for a page.
func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// leads reports whether an answer with a status may tell of another place.
func leads(status int) bool { return status == 201 || status/100 == 3 }

// frame sets the head of an own page.
func (s *Site) frame(x *exchange.Exchange, location, allow string) {
	r := &x.Res
	if location != "" && r.Always.Get("Location") == "" {
		r.Header.Set("Location", location)
	}
	if r.Status == 405 || r.Status == 501 {
		if allow == "" {
			allow = x.AllowText()
		}
		if r.Always.Get("Allow") == "" {
			r.Header.Set("Allow", allow)
		}
	}
	r.Header.Set("Content-Type", "text/html; charset=iso-8859-1")
	if exchange.Closes(r.Status) {
		r.Close = true
	}
}

const doctype = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">` + "\n"

// additionally is the sentence of a page whose ErrorDocument failed; it names the status that this was fetched with, as
// httpd's does.
func additionally(status int) string {
	return "<p>Additionally, a " + strconv.Itoa(status) + " " + exchange.ReasonOf(status) + "\nerror was encountered while trying to use an ErrorDocument to handle the request.</p>\n"
}

// ownPage is the page that httpd itself would show (httpd: http_protocol.c ap_send_error_response).
func ownPage(x *exchange.Exchange, status int, reason, note, location, more string) string {
	var b strings.Builder
	r := html.EscapeString(reason)
	b.WriteString(doctype + "<html><head>\n<title>" + strconv.Itoa(status) + " " + r + "</title>\n</head><body>\n<h1>" + r + "</h1>\n")
	b.WriteString(words(x, status, note, location) + more)
	b.WriteString(Signature(x, "<hr>\n"))
	b.WriteString("</body></html>\n")
	return b.String()
}

// Signature is the ServerSignature line with what stands in front of it; "" when it is off
// (httpd: core.c ap_psignature).
func Signature(x *exchange.Exchange, prefix string) string {
	if x.Local == nil || x.Local.Signature == exchange.SignatureOff {
		return ""
	}
	name := html.EscapeString(x.ServerName())
	if x.Local.Signature == exchange.SignatureEMail {
		address := x.Server.Address()
		if !exchange.HasScheme(address) {
			address = "mailto:" + address
		}
		name = `<a href="` + html.EscapeString(address) + `">` + name + "</a>"
	}
	return prefix + "<address>" + x.Server.Token + " Server at " + name + " Port " + strconv.Itoa(x.ServerPort()) + "</address>\n"
}
