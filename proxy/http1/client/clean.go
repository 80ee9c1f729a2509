package client

import (
	"cmp"
	"slices"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// action is what is done with a field of an answer.
type action uint8

const (
	keep        action = iota
	drop               // it concerns the connection to the member alone
	dropFraming        // the body's, when it has any framing
	keepLength         // once, when the length counts
	moveCookie         // behind the other fields
	rewriteDate        // in the usual form
	keepType           // the first, unless it is empty: an answer has one type
)

// actions has what is done with each field (httpd: mod_proxy_http.c hop_by_hop_hdrs, process_proxy_header;
// proxy_util.c ap_proxy_clear_connection).
var actions = [256]action{
	wire.Connection: drop, wire.ProxyConnection: drop, wire.KeepAlive: drop, wire.ProxyAuthenticate: drop,
	wire.TE: drop, wire.Trailer: drop, wire.Upgrade: drop,
	wire.TransferEncoding: dropFraming, wire.ContentLength: keepLength, wire.SetCookie: moveCookie, wire.ContentType: keepType,
	wire.Date: rewriteDate, wire.Expires: rewriteDate, wire.LastModified: rewriteDate,
}

// clean takes away from an answer's fields what concerns the connection, writes dates the usual way,
// and moves cookies behind the others. It reports whether the member ends the connection.
func (c *codec) clean(h *exchange.Header) (closes bool) {
	var named wire.Tokens
	if c.res.Seen.Has(wire.Connection, wire.Connection) {
		named, closes = optionsOf(h.Joined("Connection"))
	}
	length, cookies, typed := false, false, false
	n := 0
	for i := range h.F {
		f := &h.F[i]
		act := actions[f.ID]
		if act == drop || named.Has(f.Name) {
			continue
		}
		switch act {
		case dropFraming:
			if c.framing.Body != wire.NoBody {
				continue
			}
		case keepLength:
			if length || c.framing.Length < 0 {
				continue
			}
			length = true
		case moveCookie:
			cookies = true
		case keepType:
			if typed {
				continue
			}
			typed = f.Value != ""
		case rewriteDate:
			f.Value = usualDate(f.Value)
		}
		if n != i {
			h.F[n] = *f
		}
		n++
	}
	clear(h.F[n:])
	h.F = h.F[:n]
	if cookies {
		cookiesLast(h)
	}
	if c.res.Seen.Has(wire.Warning, wire.Warning) {
		cleanWarnings(h)
	}
	return closes
}

// optionSeparators stand between the options of a member's Connection field (httpd: proxy_util.c find_conn_headers).
var optionSeparators = wire.SeparatorsOf(",;")

// optionsOf are the names in a Connection field, whose fields concern the connection as well; the usual ones name
// no fields.
func optionsOf(value string) (o wire.Tokens, closes bool) {
	switch {
	case wire.EqualFold(value, "keep-alive"):
		return o, false
	case wire.EqualFold(value, "close"):
		return o, true
	}
	return wire.TokensOf(value, optionSeparators), optionSeparators.Lists(value, "close")
}

// manyCookies is from how many fields on cookies are moved all at once.
const manyCookies = 64

// cookiesLast moves Set-Cookie fields behind the others; both keep their order
// (httpd: mod_proxy_http.c ap_proxy_http_process_response, save_table).
func cookiesLast(h *exchange.Header) {
	if len(h.F) > manyCookies {
		slices.SortStableFunc(h.F, func(a, b exchange.Field) int {
			return cmp.Compare(b2i(a.ID == wire.SetCookie), b2i(b.ID == wire.SetCookie))
		})
		return
	}
	first := h.IndexID(wire.SetCookie)
	moved := 0
	for i := first; i < len(h.F)-moved; {
		if h.F[i].ID != wire.SetCookie {
			i++
			continue
		}
		f := h.F[i]
		copy(h.F[i:], h.F[i+1:])
		h.F[len(h.F)-1] = f
		moved++
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// usualDate is a date in the form of RFC 1123; what is no date stays as it is (RFC 9110 section 5.6.7).
func usualDate(value string) string {
	if len(value) == len(wire.DateFormat) && value[3] == ',' && value[7] == ' ' && value[26:] == "GMT" {
		return value
	}
	for _, layout := range [...]string{"Monday, 02-Jan-06 15:04:05 MST", time.ANSIC, "Mon, 2 Jan 2006 15:04:05 MST"} {
		if t, err := time.Parse(layout, value); err == nil {
			if t.Year() > 2068 { // two digits mean the century of RFC 850's readers
				t = t.AddDate(-100, 0, 0)
			}
			return t.UTC().Format(wire.DateFormat)
		}
	}
	return value
}

// cleanWarnings drops warnings with a date that is not the answer's (httpd: mod_proxy_http.c
// ap_proxy_clean_warnings).
func cleanWarnings(h *exchange.Header) {
	date := h.GetID(wire.Date)
	var kept []string
	for i := range h.F {
		if h.F[i].ID == wire.Warning {
			kept = appendWarnings(kept, h.F[i].Value, date)
		}
	}
	h.DelID(wire.Warning)
	for _, w := range kept {
		h.Add("Warning", w)
	}
}

// appendWarnings appends those warnings of a field that hold.
func appendWarnings(kept []string, value, date string) []string {
	for w := wire.WarningsOf(value); ; {
		text, of, ok := w.Next()
		if !ok {
			return kept
		}
		if of == "" || of == date {
			kept = append(kept, text)
		}
	}
}
