package compress

import (
	"context"
	"fmt"
	"io"

	"balancerd/proxy/exchange"
)

// ofAnswers is what httpd says of members' bytes (mod_deflate.c inflate_out_filter).
var ofAnswers = &words{
	plainIsWell: true,
	noMagic:     &fault{exchange.Error, "AH01405: inflate: bad header", 0},
	flags: func(f byte) *fault {
		return &fault{exchange.Error, fmt.Sprintf("AH02620: inflate: bad flags %02x", f), 0}
	},
	headCut:  &fault{exchange.Error, "AH01401: Zlib: Validation bytes not present", 0},
	cut:      &fault{exchange.Error, "AH01401: Zlib: Validation bytes not present", 0},
	endCut:   &fault{exchange.Error, "AH01401: Zlib: Validation bytes not present", 0},
	wrongSum: &fault{exchange.Error, "AH01399: Zlib: Checksum of inflated stream invalid", 0},
	wrongLength: func(int64, uint32) *fault {
		return &fault{exchange.Error, "AH01400: Zlib: Length of inflated stream invalid", 0}
	},
	broken: func(err error) *fault {
		return &fault{exchange.Warn, "AH01409: Zlib error -3 inflating data (" + err.Error() + ")", 0}
	},
	bomb: func(u *unpacking) *fault { return &fault{exchange.Warn, "AH02650: " + density(u), 0} },
}

// answer is INFLATE.
func (u *unpacking) answer(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	if x.Prev != nil || r.Status == 204 || r.Header.Has("Content-Range") {
		return nil
	}
	h := &r.Header
	if !h.Has("Content-Encoding") {
		h = &r.Always
	}
	if !takeGzip(h) {
		return nil
	}
	r.ChangesLength()
	u.tag.apply(x, "gunzip")
	if r.Status == 304 || r.Body == nil || x.HeadOnly {
		return nil
	}
	if u.broken {
		x.Log("deflate", exchange.Error, nil, x.Arena.Join("AH01397: unable to init Zlib: inflateInit2 returned -2: URL ", x.Req.Path))
		return nil
	}
	r.Body = exchange.Rewritten(r.Body, func(out io.Writer) exchange.Rewriter {
		return exchange.Pulled(out, func(in io.Reader, out io.Writer) error { return u.copy(x, out, in) })
	})
	return nil
}

// inflateTurn is after how many unpacked bytes the event loop goes on without the answer.
const inflateTurn = 256 << 10

// copy unpacks an answer.
func (u *unpacking) copy(x *exchange.Exchange, out io.Writer, in io.Reader) error {
	g := &gunzip{from: in, rules: u, words: ofAnswers}
	defer g.Close()
	b := make([]byte, min(u.step, 32<<10))
	total := 0
	for turn := exchange.Turn(0); ; {
		n, err := g.Read(b)
		if total += n; n > 0 {
			turn.Worked(x, n, inflateTurn)
			if _, err := out.Write(b[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			note(x, err)
			if _, ok := err.(*fault); ok && total < u.step { // httpd passes on what fills its buffer
				err = &exchange.Unmade{Err: err}
			}
			return err
		}
	}
}
