package compress

import (
	"io"

	"balancerd/proxy/exchange"
)

// newBrotli is BROTLI_COMPRESS with the settings of a server. No range is cut of what it has packed, as httpd's mod_brotli,
// unlike its mod_deflate, passes a body and its end on apart.
func newBrotli(s *settings) *packing {
	of, n := brotlisOf(brotliKind{s.level.Or(defaultQuality), s.window.Or(defaultWindow)}), s.notes
	n.always = true
	return &packing{
		module: "brotli", coding: "br", off: "no-brotli", tag: s.tag, of: of, ofHeads: &n, unfit: never, forced: never, broken: never,
		start: func(x *exchange.Exchange, k *kept, out io.Writer) exchange.Rewriter {
			x.Res.Ranges = exchange.NoRanges
			w := newWriter(x, of, k, &n, out)
			return &w
		},
	}
}
