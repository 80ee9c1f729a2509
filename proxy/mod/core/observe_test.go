package core_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// head is how many lines the rig puts in front of a configuration.
const head = 5

// recorder writes down what it is told.
type recorder struct{ told []string }

func (r *recorder) Observe(x *exchange.Exchange, e exchange.Event) {
	text := ""
	switch e := e.(type) {
	case exchange.SectionsMerged:
		for _, s := range e.Sections {
			text += fmt.Sprintf(" <%s %s>%s:%d", s.Kind, s.Argument, s.File, s.Line-head)
		}
		text = "sections" + text
	case exchange.Decision:
		text = fmt.Sprintf("%s %s %s: %s:%d", e.Module, e.Name, e.Subject, e.Outcome, e.Line-head)
	case exchange.Failed:
		text = fmt.Sprint("failed ", e.Status, " ", e.Err)
	default:
		text = fmt.Sprintf("%T%+v", e, e)
		text = strings.TrimPrefix(text, "exchange.")
	}
	r.told = append(r.told, strings.Repeat("> ", x.Depth)+text)
}

// watched is a module that has every request of a host recorded, unless it says so itself.
func watched(r *recorder) site.Module {
	return site.Module{Name: "watch", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.Observe(func(x *exchange.Exchange) exchange.Observer {
				if x.Req.Header.Has("X-Alone") {
					return nil
				}
				return r
			})
			p.Add(site.Fixup, "Refuse", func(_ context.Context, x *exchange.Exchange) error {
				if strings.HasSuffix(x.Req.Path, "/refused") {
					return exchange.Status(403)
				}
				return nil
			})
			return nil
		}, nil
	}}
}

// TestObserved: what a request meets is told, in order, each decision with its place.
func TestObserved(t *testing.T) {
	r := &recorder{}
	rig := sitetest.New(t, "env proxy", `<Location /proxied>
ServerSignature On
</Location>
<Proxy http://member/proxied/x>
<If "%{REQUEST_URI} =~ /nope/">
</If>
<Else>
UseCanonicalName On
</Else>
</Proxy>
ErrorDocument 403 /proxied/why
<Location /proxied/x>
ServerSignature Off
</Location>
`, core.Module(), marks(), watched(r))
	for _, c := range []struct{ request, want string }{
		{"GET /proxied/x HTTP/1.1", `
HostChosen{Named:true}
PhaseBegun{Phase:translate_name}
StepDecided{Phase:translate_name Module:marks Name:marks Err:phase settled}
PhaseOver{Phase:translate_name Err:phase settled}
core If %{REQUEST_URI} =~ /nope/: false:5
sections <Proxy http://member/proxied/x>test.conf:4 <Location /proxied>test.conf:1 <Location /proxied/x>test.conf:12 <Else >test.conf:7
PhaseBegun{Phase:fixups}
PhaseOver{Phase:fixups Err:<nil>}
PhaseBegun{Phase:handler}
Handled{Module:marks Name:marks Err:<nil>}
PhaseOver{Phase:handler Err:<nil>}
Answered{}`},
		{"GET /refused HTTP/1.1\nHost: other", `
HostChosen{Named:false}
PhaseBegun{Phase:translate_name}
PhaseOver{Phase:translate_name Err:<nil>}
sections
PhaseBegun{Phase:fixups}
StepDecided{Phase:fixups Module:watch Name:Refuse Err:403 Forbidden}
PhaseOver{Phase:fixups Err:403 Forbidden}
failed 403 403 Forbidden
PhaseBegun{Phase:translate_name}
StepDecided{Phase:translate_name Module:marks Name:marks Err:phase settled}
PhaseOver{Phase:translate_name Err:phase settled}
sections <Location /proxied>test.conf:1
PhaseBegun{Phase:fixups}
PhaseOver{Phase:fixups Err:<nil>}
PhaseBegun{Phase:handler}
Handled{Module:marks Name:marks Err:<nil>}
PhaseOver{Phase:handler Err:<nil>}
Answered{}`},
		{"GET /proxied/x HTTP/1.1\nX-Alone: 1", ""},
	} {
		r.told = nil
		x := rig.Get(c.request)
		sitetest.Body(x)
		rig.Site.Done(context.Background(), x)
		if got := strings.Join(r.told, "\n"); got != strings.TrimSpace(c.want) {
			t.Errorf("%s:\n%s", c.request, got)
		}
	}
}
