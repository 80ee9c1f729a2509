package remoteip

import (
	"context"
	"net/netip"
	"strings"

	"balancerd/proxy/exchange"
)

// walker finds the client that trusted proxies name. Immutable.
type walker struct {
	header  string
	proxies string // "" for none
	trusted []proxy
}

// note is where the proxies' addresses are kept, too.
const note = "remoteip-proxy-ip-list"

// step goes from the connection's peer to the client before it for as long as the one that it has come to is trusted
// (httpd: mod_remoteip.c remoteip_modify_request).
func (w *walker) step(_ context.Context, x *exchange.Exchange) error {
	if !x.Req.Header.Has(w.header) {
		return nil
	}
	j := journey{walker: w, x: x, at: clientOf(x), text: x.ClientIP, rest: x.Req.Header.Get(w.header), more: true, internal: len(w.trusted) > 0}
	for j.more && j.next() {
		j.moved = true
	}
	if j.moved {
		j.arrive()
	}
	return nil
}

// clientOf is the client's address, as it is known so far.
func clientOf(x *exchange.Exchange) netip.Addr {
	a, err := netip.ParseAddr(x.ClientIP)
	if err != nil {
		a = x.Conn.Remote.Addr()
	}
	return a.Unmap().WithZone("")
}

// journey is how far a request's field was followed.
type journey struct {
	*walker
	x *exchange.Exchange

	at       netip.Addr // whom it has come to
	text     string     // the same as it is shown
	rest     string     // of the field, that was not taken
	more     bool       // rest is there, though it may be empty
	internal bool       // all that were passed are internal: they may name anybody
	moved    bool
	passed   []byte // addresses of those that were passed and are not internal
}

// next takes the field's last element as the client of whom it has come to; false ends the journey there.
func (j *journey) next() bool {
	if !j.believes() {
		return false
	}
	before, last := "", j.rest
	comma := strings.LastIndexByte(j.rest, ',')
	if comma >= 0 {
		before, last = j.rest[:comma], j.rest[comma+1:]
	}
	element := strings.Trim(last, " ")
	if element == "" {
		if comma < 0 {
			j.rest = ""
		}
		return false
	}
	client, err := netip.ParseAddr(element)
	if err != nil || client.Zone() != "" {
		return j.stop("AH01568: RemoteIP: Header ", element, " cannot be parsed as a client IP", comma)
	}
	if client = client.Unmap(); !j.internal && private(client) {
		return j.stop("AH01569: RemoteIP: Header ", element, " appears to be a private IP or nonsensical.  Ignored", comma)
	}
	if !j.internal {
		j.pass()
	}
	j.at, j.text, j.rest, j.more = client, j.shown(client, element), before, comma >= 0
	return true
}

// believes reports whether whom it has come to may name a client. Without lists everybody may. One that is not
// internal makes all that follow so.
func (j *journey) believes() bool {
	if len(j.trusted) == 0 {
		return true
	}
	for i := range j.trusted {
		if p := &j.trusted[i]; p.net.Holds(j.at) {
			j.internal = j.internal && p.internal
			return true
		}
	}
	return false
}

// stop leaves an element in the field, without the blanks behind it.
func (j *journey) stop(begin, element, end string, comma int) bool {
	if j.x.Enabled("remoteip", exchange.Debug) {
		j.x.Log("remoteip", exchange.Debug, nil, j.x.Arena.Join(begin, j.header, " value of ", element, end))
	}
	j.rest = strings.TrimRight(j.rest, " ")
	if comma < 0 {
		j.rest = element
	}
	return false
}

// pass notes whom it has come to as a proxy.
func (j *journey) pass() {
	if j.passed != nil {
		j.passed = append(j.passed, ", "...)
	}
	j.passed = append(j.passed, j.text...)
}

// shown is an address as it is printed: an element that is written so is that text.
func (j *journey) shown(a netip.Addr, element string) string {
	b := a.AppendTo(j.x.Arena.Scratch(46))
	if string(b) == element {
		return element
	}
	return j.x.Arena.Keep(b)
}

// private tells of addresses that no proxy of the internet may name: those of RFC 3330's private and local networks,
// and of IPv6 all but global unicast (RFC 4291).
func private(a netip.Addr) bool {
	if a.Is4() {
		b := a.As4()
		return b[0] == 10 || b[0] == 127 || b[0] == 169 && b[1] == 254 || b[0] == 172 && b[1]&0xf0 == 16 || b[0] == 192 && b[1] == 168
	}
	return a.As16()[0]&0xe0 != 0x20
}

// arrive makes whom it has come to the client.
func (j *journey) arrive() {
	x := j.x
	x.SetClient(j.text, 0) // its port is not known
	if j.more {
		x.Req.Header.Set(j.header, j.rest)
	} else {
		x.Req.Header.Del(j.header)
	}
	if j.passed == nil {
		return
	}
	passed := x.Arena.Bytes(j.passed)
	x.Notes.Set(note, passed)
	if j.proxies != "" {
		x.Req.Header.Set(j.proxies, passed)
	}
}
