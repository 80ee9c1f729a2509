package compress

import (
	"context"
	"fmt"

	"balancerd/proxy/exchange"
)

// ofRequests is what httpd says of clients' bytes (mod_deflate.c deflate_in_filter).
var ofRequests = &words{
	emptyIsWell: true,
	noMagic:     &fault{exchange.Warn, "AH01387: Zlib: Invalid header", 400},
	flags: func(f byte) *fault {
		return &fault{exchange.Warn, fmt.Sprintf("AH01388: Zlib: Invalid flags %02x", f), 400}
	},
	headCut:  &fault{exchange.Error, "AH02619: Encountered premature end-of-stream while reading inflate header", 400},
	cut:      &fault{exchange.Error, "AH02481: Encountered premature end-of-stream while inflating", 400},
	endCut:   &fault{exchange.Error, "AH02481: Encountered premature end-of-stream while inflating", 400},
	wrongSum: &fault{exchange.Warn, "AH01394: Zlib: CRC error inflating data", 400},
	wrongLength: func(is int64, said uint32) *fault {
		return &fault{exchange.Warn, fmt.Sprintf("AH01395: Zlib: Length %d of inflated data does not match expected value %d", is, said), 400}
	},
	more: &fault{exchange.Error, "AH02485: Encountered extra data after compressed data", 400},
	broken: func(err error) *fault {
		return &fault{exchange.Warn, "AH01392: Zlib error -3 inflating data (" + err.Error() + ")", 400}
	},
	tooMuch: func(is, limit int64) *fault {
		return &fault{exchange.Warn, fmt.Sprintf("AH02648: Inflated content length of %d is larger than the configured limit of %d", is, limit), 413}
	},
	bomb: func(u *unpacking) *fault { return &fault{exchange.Warn, "AH02649: " + density(u), 400} },
}

// request is DEFLATE of requests. Members learn nothing of how the body was packed.
func (u *unpacking) request(_ context.Context, x *exchange.Exchange) error {
	q := &x.Req
	if x.Prev != nil || q.Header.Has("Content-Range") || !takeGzip(&q.Header) {
		return nil
	}
	if u.broken {
		x.Log("deflate", exchange.Error, nil, x.Arena.Join("AH01389: unable to init Zlib: inflateInit2 returned -2: URL ", q.Path))
		return nil
	}
	limit := u.body
	if limit == 0 && x.Local != nil {
		limit = x.Local.LimitRequestBody
	}
	q.ChangesLength()
	exchange.ThroughBody(x, &told{&gunzip{from: q.Body, rules: u, words: ofRequests, limit: limit}, x})
	return nil
}

// told logs what is wrong with a request's body.
type told struct {
	*gunzip
	x *exchange.Exchange
}

func (t *told) Read(p []byte) (int, error) {
	before := t.err
	n, err := t.gunzip.Read(p)
	if n == 0 && err != before {
		note(t.x, err)
	}
	return n, err
}
