package compress

import (
	"fmt"
	"strings"

	"balancerd/proxy/exchange"
)

// unpacking is INFLATE of answers and DEFLATE of requests, with the settings of a server and a place.
type unpacking struct {
	tag          tagRule
	step         int // after how many bytes the ratio is looked at
	ratio, burst int
	body         int64
	broken       bool // zlib would not be had
}

func newUnpacking(s *settings, b *bounds) *unpacking {
	return &unpacking{tag: s.tag, step: s.buffer.Or(defaultBuffer), ratio: b.ratio.Or(defaultRatio), burst: b.burst.Or(defaultBurst), body: b.body, broken: s.window.Or(15) < smallestWindow}
}

// words are what httpd says of packed bytes that are none, in one direction.
type words struct {
	emptyIsWell bool // nothing at all is no fault
	plainIsWell bool // what is not deflated is given as it is
	noMagic     *fault
	flags       func(byte) *fault
	headCut     *fault
	cut         *fault
	endCut      *fault
	wrongSum    *fault
	wrongLength func(is int64, said uint32) *fault
	more        *fault // nil: what is behind the end is dropped
	broken      func(error) *fault
	tooMuch     func(is, limit int64) *fault
	bomb        func(*unpacking) *fault
}

// note logs what is wrong.
func note(x *exchange.Exchange, err error) {
	if f, ok := err.(*fault); ok {
		x.Log("deflate", f.level, nil, f.message)
	}
}

// density is the end of the sentence about a bomb.
func density(u *unpacking) string {
	return fmt.Sprintf("Inflated content ratio is larger than the configured limit %d by %d time(s)", u.ratio, u.burst)
}

// takeGzip takes gzip off the end of a message's codings, with what says nothing behind it. false: it is not there
// (httpd: mod_deflate.c check_gzip).
func takeGzip(h *exchange.Header) bool {
	i := h.Index("Content-Encoding")
	if i < 0 {
		return false
	}
	list := h.F[i].Value
	for {
		comma := strings.LastIndexByte(list, ',')
		switch last := strings.TrimLeft(list[comma+1:], spaces); {
		case exchange.EqualFold(last, "gzip"), exchange.EqualFold(last, "x-gzip"):
			if comma < 0 {
				h.Del("Content-Encoding")
			} else {
				h.F[i].Value = list[:comma]
			}
			return true
		case comma < 0, last != "" && !exchange.EqualFold(last, "identity"):
			return false
		}
		list = list[:comma]
	}
}
