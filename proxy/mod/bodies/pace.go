package bodies

import (
	"context"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// interval is how often some of a paced answer is sent (httpd: RATE_INTERVAL_MS).
const interval = 200 * time.Millisecond

// pace is RATE_LIMIT (httpd: mod_ratelimit.c rate_limit_filter).
func pace(_ context.Context, x *exchange.Exchange) error {
	limit, ok := x.Env.Get("rate-limit")
	if !ok || x.Res.Body == nil {
		return nil
	}
	speed := kibibytes(limit)
	if speed <= 0 {
		x.Log("ratelimit", exchange.Info, nil, x.Arena.Join("AH03488: rl: disabling: rate-limit = ", limit, " (too high?)"))
		return nil
	}
	burst := 0
	if text, ok := x.Env.Get("rate-initial-burst"); ok {
		if burst = kibibytes(text); burst <= 0 {
			x.Log("ratelimit", exchange.Info, nil, x.Arena.Join("AH03489: rl: disabling burst: rate-initial-burst = ", text, " (too high?)"))
			burst = 0
		}
	}
	chunk := speed / int(time.Second/interval)
	p := &paced{Source: x.Res.Body, x: x, chunk: chunk, left: chunk + burst}
	p.gatherer, _ = x.Res.Body.(exchange.Gatherer)
	x.Res.Body = p
	return nil
}

// kibibytes are those of a text in bytes, as far as a C int holds them.
func kibibytes(text string) int { return int(int32(directive.Atoi(text) * 1024)) }

// paced is a body of which some may be read each interval.
type paced struct {
	exchange.Source
	gatherer exchange.Gatherer // Source, if it can do that
	x        *exchange.Exchange
	chunk    int // bytes
	left     int // of this interval
}

// Buffered is what may be sent now.
func (p *paced) Buffered() []byte {
	b := p.Source.Buffered()
	return b[:min(len(b), p.left)]
}

// Discard takes n of it.
func (p *paced) Discard(n int) {
	p.left -= n
	p.Source.Discard(n)
}

// Gather finds out whether the body is over; what comes in beyond the interval's bytes waits.
func (p *paced) Gather() error {
	if p.gatherer != nil && len(p.Source.Buffered()) == 0 {
		return p.gatherer.Gather()
	}
	return nil
}

// Read waits for the next interval, and for bytes.
func (p *paced) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if p.left == 0 {
		p.x.Sleep(interval)
		p.left = p.chunk
	}
	n, err := p.Source.Read(b[:min(len(b), p.left)])
	p.left -= n
	return n, err
}
