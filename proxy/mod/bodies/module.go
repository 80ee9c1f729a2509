package bodies

import (
	"errors"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Modules are mod_ratelimit, mod_buffer and mod_request.
func Modules() []site.Module {
	return []site.Module{
		{Name: "ratelimit", Open: openRate, Reads: []string{}},
		{Name: "buffer", Open: openBuffer, Reads: []string{"buffer"}, Table: directive.Table{
			{Name: "BufferSize", Set: setSize, Help: "how much the filter BUFFER holds"},
		}},
		{Name: "request", Open: openRequest, Reads: []string{"kept body"}, Table: directive.Table{
			{Name: "KeptBodySize", Set: setKept, Help: "the longest request body that is let pass; 0: any"},
		}},
	}
}

// size is a number of bytes that a scope sets; the innermost one counts.
type size = directive.Opt[int64]

func innermost(outer, inner size) size { return inner.Over(outer) }

var (
	buffered = directive.NewKey("buffer", innermost)
	kept     = directive.NewKey("kept body", innermost)
)

// defaultSize is httpd's DEFAULT_BUFFER_SIZE.
const defaultSize = 128 << 10

// setSize reads digits, and what follows them counts for nothing.
func setSize(s *directive.Scope, a directive.Args) error {
	n, _, err := directive.Leading(a.Words[0])
	if err != nil || n <= 0 {
		return errors.New("BufferSize must be a size in bytes, and greater than zero")
	}
	buffered.In(s).Set(n)
	return nil
}

func setKept(s *directive.Scope, a directive.Args) error {
	n, rest, err := directive.Leading(a.Words[0])
	if err != nil || n < 0 || rest != "" {
		return errors.New("KeptBodySize must be a valid size in bytes, or zero.")
	}
	kept.In(s).Set(n)
	return nil
}

func openRate(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_ratelimit.c") {
		return nil, nil
	}
	return func(_ []*directive.Scope, p *site.Plan) error {
		p.OutputFor(exchange.Filter{Name: "RATE_LIMIT", Kind: exchange.Connection - 1, Do: pace})
		return nil
	}, nil
}

func openBuffer(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_buffer.c") {
		return nil, nil
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		m := buffered.Merged(chain...)
		h := holding(m.Or(defaultSize))
		p.OutputFor(exchange.Filter{Name: "BUFFER", Kind: exchange.ContentSet, Do: h.answer})
		p.InputFor(exchange.Filter{Name: "BUFFER", Kind: exchange.ContentSet, Do: h.request})
		return nil
	}, nil
}

func openRequest(c *directive.Config, _ *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_request.c") {
		return nil, nil
	}
	return func(chain []*directive.Scope, p *site.Plan) error {
		m := kept.Merged(chain...)
		if most := m.Or(0); most > 0 {
			p.InputFor(exchange.Filter{Name: "KEEP_BODY", Kind: exchange.Resource, Do: keeping(most).request})
			p.AddInput("KEEP_BODY")
		}
		return nil
	}, nil
}
