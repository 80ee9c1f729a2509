package site

import (
	"context"
	"io"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// letter is a filter that notes that it ran and wraps the body in its name.
func letter(name string, kind exchange.FilterKind) exchange.Filter {
	return exchange.Filter{Name: name, Kind: kind, Do: func(_ context.Context, x *exchange.Exchange) error {
		x.Res.Header.Add("Ran", name)
		if x.Res.Body != nil {
			x.Res.ChangesLength()
			x.Res.Body = exchange.Rewritten(x.Res.Body, func(out io.Writer) exchange.Rewriter { return &wrapper{out: out, name: name} })
		}
		return nil
	}}
}

type wrapper struct {
	out  io.Writer
	name string
	open bool
}

func (w *wrapper) Write(p []byte) (int, error) {
	if !w.open {
		w.open = true
		io.WriteString(w.out, w.name+"(")
	}
	return w.out.Write(p)
}
func (w *wrapper) Flush() error { return nil }
func (w *wrapper) Close() error { _, err := io.WriteString(w.out, ")"); return err }

// filterPlan is one with filters of several kinds, a Reply step that sees what ran before it, and a module's
// named filter.
func filterPlan(t *testing.T) (*Site, *Plan) {
	s := &Site{opening: "named"}
	s.DefineFilter(FilterType{Name: "Late", Kind: exchange.Connection, Output: func(chain []*directive.Scope) (exchange.Step, error) {
		return letter("L", 0).Do, nil
	}})
	p := &Plan{Local: &exchange.Local{}}
	s.named("m", func(_ []*directive.Scope, p *Plan) error {
		p.AddOutput(letter("d", exchange.ContentSet))
		p.AddOutput(letter("c", exchange.ContentSet+1))
		p.AddOutput(letter("s", exchange.Resource))
		p.AddOutput(letter("t", exchange.Resource))
		f, ok, err := p.NamedOutput("LATE")
		if !ok || err != nil || f.Module != "named" {
			t.Error("the named filter:", f, ok, err)
		}
		p.AddOutput(f)
		if _, ok, _ := p.NamedInput("late"); ok {
			t.Error("it is none for requests")
		}
		if _, ok, _ := p.NamedOutput("nobody"); ok {
			t.Error("nobody's filter")
		}
		e := letter("e", exchange.ContentSet-2)
		e.Pages = true
		p.AddOutput(e)
		p.Add(Reply, "Header", func(_ context.Context, x *exchange.Exchange) error {
			x.Res.Header.Set("Saw", x.Res.Header.Joined("Ran"))
			return nil
		})
		return nil
	})(nil, p)
	return s, p
}

// TestFilterOrder: what runs, in which order, and what Header's edits see.
func TestFilterOrder(t *testing.T) {
	for _, c := range []struct {
		name           string
		prepare        func(x *exchange.Exchange)
		ran, saw, body string
	}{
		{"a page", func(x *exchange.Exchange) { x.AddOutput(letter("r", exchange.Resource)) }, "r, s, t, e, d, c, L", "r, s, t, e, d", "L(c(d(e(t(s(r(text)))))))"},
		{"an own page", func(x *exchange.Exchange) { x.Res.ErrorPage = true }, "e, L", "e", "L(e(text))"},
		{"a kept copy", func(x *exchange.Exchange) { x.Res.Cached = true }, "L", "", "L(text)"},
		{"a head alone", func(x *exchange.Exchange) { x.Res.Body = nil }, "s, t, e, d, c, L", "s, t, e, d", ""},
		{"nothing is sent", func(x *exchange.Exchange) { x.Res.Drop = true }, "", "", "text"},
		{"one fails", func(x *exchange.Exchange) {
			x.AddOutput(exchange.Filter{Kind: exchange.Resource + 1, Do: func(context.Context, *exchange.Exchange) error { return exchange.Status(403) }})
		}, "e, L", "e", "L(e(403))"},
		{"a pattern gives up", func(x *exchange.Exchange) {
			x.AddOutput(exchange.Filter{Kind: exchange.Resource + 1, Do: func(_ context.Context, x *exchange.Exchange) error { x.Undecided = true; return nil }})
		}, "e, L", "e", "L(e(500))"},
	} {
		s, p := filterPlan(t)
		x := &exchange.Exchange{Server: &exchange.Server{}, Local: p.Local}
		x.State[exchange.StatePlan] = p
		x.Req.Method, x.Res.Status = "GET", 200
		x.Res.Text("text")
		c.prepare(x)
		s.reply(context.Background(), x)
		body := ""
		if x.Res.Body != nil {
			b, err := io.ReadAll(x.Res.Body)
			if err != nil {
				t.Error(c.name, err)
			}
			body = string(b)
			for _, status := range []string{"403", "500"} { // an own page
				if i, j := strings.Index(body, "<title>"+status), strings.LastIndex(body, "</html>\n"); i > 0 {
					body = body[:strings.Index(body, "<")] + status + body[j+len("</html>\n"):]
				}
			}
		}
		if ran, saw := x.Res.Header.Joined("Ran"), x.Res.Header.Get("Saw"); ran != c.ran || saw != c.saw || body != c.body {
			t.Errorf("%s: ran %q, Header saw %q, %q", c.name, ran, saw, body)
		}
	}
}

// TestFilterNone: without filters nothing is made and the body stays what it was.
func TestFilterNone(t *testing.T) {
	s, p := &Site{}, &Plan{Local: &exchange.Local{}}
	x := &exchange.Exchange{Local: p.Local}
	x.State[exchange.StatePlan] = p
	x.Res.Status = 200
	x.Res.Text("text")
	x.Req.Length = 5
	body := x.Res.Body
	n := testing.AllocsPerRun(100, func() {
		s.reply(context.Background(), x)
		input(context.Background(), x, p)
	})
	if n != 0 || x.Res.Body != body || x.Res.Length != 4 {
		t.Error(n, "allocations")
	}
}

// TestInputOnce: a request's body is filtered once, however often it is served in the place of another.
func TestInputOnce(t *testing.T) {
	runs := 0
	p := &Plan{}
	p.AddInput(exchange.Filter{Kind: exchange.Resource, Do: func(context.Context, *exchange.Exchange) error { runs++; return nil }})
	x := &exchange.Exchange{}
	if input(context.Background(), x, p); runs != 0 {
		t.Error("there is no body")
	}
	x.Req.Length = -1
	input(context.Background(), x, p)
	if input(context.Background(), x, p); runs != 1 {
		t.Error(runs, "runs")
	}
}
