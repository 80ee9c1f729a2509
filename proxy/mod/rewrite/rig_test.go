package rewrite

import (
	"context"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "rewrite proxy"

// modules are those of a rig; what nobody else answers is answered with what the request is mapped to.
func modules() []site.Module {
	return []site.Module{core.Module(), Module(), standIn(), Last()}
}

func standIn() site.Module {
	serve := exchange.HandlerFunc(func(_ context.Context, x *exchange.Exchange) error {
		x.Res.Status = 200
		text := x.Filename
		if text == "" {
			text = x.Req.Path
		}
		if x.Req.HasQuery {
			text += "?" + x.Req.Query
		}
		x.Res.Text(text)
		return nil
	})
	return site.Module{Name: "mapped", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("proxy-server", serve)
			p.Handler = serve
			return nil
		}, nil
	}}
}

func newRig(t testing.TB, conf string) *sitetest.Rig {
	t.Helper()
	return sitetest.New(t, preload, conf, modules()...)
}

func refused(conf string) string { return sitetest.Refused(preload, conf, modules()...) }

// outcomeOf is a request's status, where it leads or what it holds, and which cookies are set.
func outcomeOf(r *sitetest.Rig, request string) string {
	x := r.Get(request)
	defer x.Finish()
	text := sitetest.Answered(x, "Location")
	if text == "" && x.Res.Status == 200 {
		text = sitetest.Body(x)
	}
	return strings.TrimSpace(x.Arena.Int(int64(x.Res.Status)) + " " + text)
}
