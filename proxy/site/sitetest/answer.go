package sitetest

import (
	"context"
	"io"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Answer is what a stand-in for members answers.
type Answer struct {
	Status int    // 0: 200
	Fields string // "A: b|C: d"
	Body   string
	Piece  int // if not 0 the body's length is not told, and it comes in pieces of so many bytes, each after a wait
	Err    error
	Repeat int // how often the body comes, one behind the other, if not 0
}

// Answering is the proxy with stand-ins for members: every path is theirs. What they get of the request's body goes to
// the field X-Got of their answer where the request has one.
func Answering(answer func(path string) Answer) site.Module {
	serve := func(_ context.Context, x *exchange.Exchange) error {
		a := answer(x.Req.Path)
		r := &x.Res
		if r.Status, r.Proxied = a.Status, true; a.Status == 0 {
			r.Status = 200
		}
		for f := range strings.SplitSeq(a.Fields, "|") {
			if name, value, ok := strings.Cut(f, ": "); ok {
				r.Header.Add(name, value)
			}
		}
		if x.Req.Length != 0 {
			b, err := io.ReadAll(x.Req.Body)
			if err != nil {
				return err
			}
			r.Header.Add("X-Got", string(b))
		}
		x.HeadOnly = x.Req.Method == "HEAD"
		switch {
		case exchange.Bodiless(r.Status), x.HeadOnly:
			r.Length = int64(len(a.Body))
		case a.Piece > 0:
			r.Length, r.Body = -1, &Pieces{Text: a.Body, Size: a.Piece, Times: max(a.Repeat, 1), Err: a.Err}
		default:
			r.Text(a.Body)
		}
		return nil
	}
	return site.Module{Name: "proxy", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("proxy-server", exchange.HandlerFunc(serve))
			p.Add(site.Translate, "ProxyPass", func(_ context.Context, x *exchange.Exchange) error {
				x.Filename, x.Handler = "proxy:http://member"+x.Req.Path, "proxy-server"
				return exchange.Stop
			})
			return nil
		}, nil
	}}
}

// Pieces is a body that comes in pieces: each must be waited for.
type Pieces struct {
	Text  string
	Size  int
	Times int // how often Text comes
	Err   error
	at    int
}

// Read gives a piece.
func (p *Pieces) Read(b []byte) (int, error) {
	if p.at == len(p.Text) && p.Times > 1 {
		p.at, p.Times = 0, p.Times-1
	}
	if p.at == len(p.Text) {
		if p.Err != nil {
			return 0, p.Err
		}
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.Size)], p.Text[p.at:])
	p.at += n
	return n, nil
}

// Buffered is nothing.
func (p *Pieces) Buffered() []byte { return nil }

// Discard has nothing to discard.
func (p *Pieces) Discard(int) {}

// Close has nothing to end.
func (p *Pieces) Close() error { return nil }

// PostBody gives a request a body.
func PostBody(x *exchange.Exchange, body string) {
	x.Req.Length, x.Req.Body = int64(len(body)), &postBody{r: strings.NewReader(body)}
}

type postBody struct {
	r     *strings.Reader
	taken int64
}

func (p *postBody) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.taken += int64(n)
	return n, err
}
func (p *postBody) Buffered() []byte { return nil }
func (p *postBody) Discard(int)      {}
func (p *postBody) Taken() int64     { return p.taken }
