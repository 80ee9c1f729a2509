package client

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// hopByHop are the fields of an answer that concern the connection to the member alone
// (httpd: mod_proxy_http.c hop_by_hop_hdrs, proxy_util.c ap_proxy_clear_connection).
var hopByHop = [256]bool{
	wire.Connection: true, wire.ProxyConnection: true, wire.KeepAlive: true, wire.ProxyAuthenticate: true,
	wire.TE: true, wire.Trailer: true, wire.Upgrade: true,
}

// clean takes away from an answer's fields what concerns the connection, writes dates the usual way,
// and moves cookies behind the others. It tells whether the member ends the connection.
func (a *answer) clean(h *exchange.Header) (closes bool) {
	named, length, cookies := "", false, false
	if a.res.Seen.Has(wire.Connection, wire.Connection) {
		named = h.Joined("Connection")
		switch {
		case wire.EqualFold(named, "keep-alive"):
			named = ""
		case wire.EqualFold(named, "close"):
			named, closes = "", true
		default:
			closes = lists(named, "close")
		}
	}
	var many wire.NameSet
	if len(named) > longList {
		many = listed(named)
	}
	n := 0
	for i := range h.F {
		f := &h.F[i]
		switch {
		case hopByHop[f.ID], named != "" && (len(named) <= longList && lists(named, f.Name) || many.Has(f.Name)):
			continue
		case f.ID == wire.TransferEncoding && a.framing.Body != wire.NoBody:
			continue
		case f.ID == wire.ContentLength:
			if length || a.framing.Length < 0 {
				continue
			}
			length = true
		case f.ID == wire.SetCookie:
			cookies = true
		case f.ID == wire.Date, f.ID == wire.Other && dated(f.Name):
			f.Value = usualDate(&a.x.Arena, f.Value)
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
	if a.res.Seen.Has(wire.Warning, wire.Warning) {
		cleanWarnings(h)
	}
	return closes
}

// lists tells whether a Connection field names something; semicolons separate as well as commas
// (httpd: proxy_util.c find_conn_headers).
func lists(value, name string) bool {
	for value != "" {
		end := 0
		for end < len(value) && value[end] != ',' && value[end] != ';' {
			end++
		}
		if wire.Lists(value[:end], name) {
			return true
		}
		value = value[min(end+1, len(value)):]
	}
	return false
}

// longList is from how many bytes on the options of a Connection field are taken apart once: a member
// may name thousands, and have thousands of fields.
const longList = 512

// listed is the set of what lists finds.
func listed(value string) (set wire.NameSet) {
	for part := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ',' || c == ';' }) {
		if name := strings.Trim(part, " \t"); name != "" {
			set.Add(name)
		}
	}
	return set
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

// dated tells whether a field other than Date holds a date (httpd: mod_proxy_http.c
// process_proxy_header).
func dated(name string) bool {
	switch len(name) {
	case 7:
		return wire.EqualFold(name, "Expires")
	case 13:
		return wire.EqualFold(name, "Last-Modified")
	}
	return false
}

// usualDate is a date in the form of RFC 1123; what is no date stays as it is (RFC 9110 section 5.6.7).
func usualDate(arena *exchange.Arena, value string) string {
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

// appendWarnings appends those warnings of a list that hold: 3 digits, an agent, a quoted text and
// perhaps a quoted date, with blanks in between.
func appendWarnings(kept []string, value, date string) []string {
	for start := 0; start < len(value); {
		end, quoted, ok := oneWarning(value[start:])
		if !ok {
			start++
			continue
		}
		if quoted == "" || quoted == date {
			kept = append(kept, value[start:start+end])
		}
		start += end
	}
	return kept
}

// oneWarning measures the warning at the beginning of s.
func oneWarning(s string) (end int, date string, ok bool) {
	if len(s) < 3 || !isDigits(s[:3]) {
		return 0, "", false
	}
	i := 3
	word := func(part func(byte) bool) int {
		start := i
		for i < len(s) && part(s[i]) {
			i++
		}
		return i - start
	}
	isBlank := func(c byte) bool { return c == ' ' || c == '\t' }
	quote := func() (string, bool) {
		if i >= len(s) || s[i] != '"' {
			return "", false
		}
		for j := i + 1; j < len(s); j++ {
			if s[j] == '"' {
				text := s[i+1 : j]
				i = j + 1
				return text, true
			}
		}
		return "", false
	}
	if word(isBlank) == 0 || word(func(c byte) bool { return !isBlank(c) }) == 0 || word(isBlank) == 0 {
		return 0, "", false
	}
	if _, ok := quote(); !ok {
		return 0, "", false
	}
	end = i
	if word(isBlank) > 0 {
		if text, ok := quote(); ok && text != "" {
			return i, text, true
		}
	}
	return end, "", true
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
