package filter

import (
	"errors"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// protocol is what FilterProtocol says of a filter, or of a choice of it.
type protocol struct {
	changes       bool // change=yes and change=1:1: the tag and the sum do not hold any more
	changesLength bool // change=yes
	noRanges      bool // byteranges=no
	noProxy       bool // proxy=no: not for members' answers
	transforms    bool // proxy=transform: not where a member forbids it
	noCache       bool // cache=no
}

// word takes one of the words; others say nothing (httpd: mod_filter.c filter_protocol).
func (p *protocol) word(w string) {
	switch strings.ToLower(w) {
	case "change=yes":
		p.changes, p.changesLength = true, true
	case "change=no":
		p.changes, p.changesLength = false, false
	case "change=1:1":
		p.changes = true
	case "byteranges=no":
		p.noRanges = true
	case "proxy=no":
		p.noProxy = true
	case "proxy=transform":
		p.transforms = true
	case "cache=no":
		p.noCache = true
	}
}

func setProtocol(s *directive.Scope, a directive.Args) error {
	f := scopes.In(s).smart[a.Words[0]]
	if f == nil {
		return errors.New("FilterProtocol: No such filter")
	}
	of := &f.protocol
	if len(a.Words) == 3 {
		if of = f.choice(a.Words[1]); of == nil {
			return errors.New("FilterProtocol: No such provider for this filter")
		}
	}
	*of = protocol{}
	for w := range strings.FieldsFuncSeq(a.Words[len(a.Words)-1], func(r rune) bool { return strings.ContainsRune(";, \t", r) }) {
		of.word(w)
	}
	return nil
}

// choice is what is said of a filter's choices of a name. All of them share it.
func (f *smart) choice(name string) *protocol {
	for i := range f.providers {
		if strings.EqualFold(f.providers[i].filter, name) {
			return &f.providers[i].protocol
		}
	}
	return nil
}

// stops reports whether a member's answer may not be changed.
func (p *protocol) stops(x *exchange.Exchange) bool {
	if !x.Forwarded() {
		return false
	}
	return p.noProxy || p.transforms && strings.Contains(strings.ToLower(x.Res.Header.Joined("Cache-Control")), "no-transform")
}

// apply edits the head for a filter that is going to change the body (httpd: mod_filter.c filter_lookup).
func (p *protocol) apply(x *exchange.Exchange) {
	h := &x.Res.Header
	if p.transforms && x.Forwarded() {
		h.Add("Warning", x.Arena.Join("214 ", x.Req.Host, " Transformation applied"))
	}
	if p.changes {
		h.Del("Content-MD5")
		h.Del("ETag")
	}
	if p.changesLength {
		x.Res.ChangesLength()
	}
	if p.noCache {
		h.Del("Last-Modified")
		h.Add("Cache-Control", "no-cache")
	}
	if p.noRanges {
		h.Set("Accept-Ranges", "none")
	}
}
