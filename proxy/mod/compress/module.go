package compress

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Modules are mod_deflate and mod_brotli.
func Modules() []site.Module {
	return []site.Module{
		{Name: "deflate", Open: openDeflate, Reads: []string{"deflate", "inflate"}, Table: directive.Table{
			{Name: "DeflateCompressionLevel", Set: setLevel, Help: "1 is fast, 9 is small"},
			{Name: "DeflateWindowSize", Set: setWindow, Help: "how far back is looked for what repeats", Partial: "windows here are 15 bits wide; with 8 or less nothing is packed, as in httpd"},
			{Name: "DeflateMemLevel", Ignored: &directive.Ignored{Check: checkMemLevel, Tuning: true}},
			{Name: "DeflateBufferSize", Set: setBufferSize, Help: "after how many unpacked bytes the ratio is looked at"},
			{Name: "DeflateFilterNote", Set: setNote(deflated, "Unknown note type %s"), Help: "a note for the log: the ratio, or bytes in or out"},
			{Name: "DeflateAlterEtag", Set: setTag(deflated, "DeflateAlterETAG accepts only 'NoChange', 'AddSuffix', and 'Remove'"), Help: "what becomes of the entity tag"},
			{Name: "DeflateInflateLimitRequestBody", Set: setLimit, Help: "the most bytes of an unpacked request body"},
			{Name: "DeflateInflateRatioLimit", Set: setRatio, Help: "how many bytes may come of one"},
			{Name: "DeflateInflateRatioBurst", Set: setBurst, Help: "how often in a row it may be more"},
		}},
		{Name: "brotli", Open: openBrotli, Reads: []string{"brotli"}, Table: directive.Table{
			{Name: "BrotliCompressionQuality", Set: setQuality, Help: "0 is fast, 11 is small"},
			{Name: "BrotliCompressionWindow", Set: setBrotliWindow, Help: "how far back is looked for what repeats, as a power of 2"},
			{Name: "BrotliCompressionMaxInputBlock", Ignored: &directive.Ignored{Check: checkBlock, Tuning: true}},
			{Name: "BrotliFilterNote", Set: setNote(brotlied, "Unknown BrotliFilterNote type '%s'"), Help: "a note for the log: the ratio, or bytes in or out"},
			{Name: "BrotliAlterETag", Set: setTag(brotlied, "BrotliAlterETag accepts only 'AddSuffix', 'NoChange' and 'Remove'"), Help: "what becomes of the entity tag"},
		}},
	}
}

func openDeflate(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_deflate.c") {
		return nil, nil
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		server, dir := deflated.Merged(chain...), inflated.Merged(chain...)
		gz := newGzip(&server)
		un := newUnpacking(&server, &dir)
		p.OutputFor(exchange.Filter{Name: "DEFLATE", Kind: exchange.ContentSet, Do: gz.do})
		p.OutputFor(exchange.Filter{Name: "INFLATE", Kind: exchange.Resource - 1, Do: un.answer})
		p.InputFor(exchange.Filter{Name: "DEFLATE", Kind: exchange.ContentSet, Do: un.request})
		return nil
	}, nil
}

func openBrotli(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_brotli.c") {
		return nil, nil
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		server := brotlied.Merged(chain...)
		p.OutputFor(exchange.Filter{Name: "BROTLI_COMPRESS", Kind: exchange.ContentSet, Do: newBrotli(&server).do})
		return nil
	}, nil
}
