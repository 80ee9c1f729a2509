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
	core := func(_ []*directive.Scope, p *Plan) error {
		p.Local = &exchange.Local{}
		for _, name := range []string{"D", "c", "s", "t", "LATE", "e"} {
			p.AddOutput(name)
		}
		return nil
	}
	letters := func(_ []*directive.Scope, p *Plan) error {
		p.OutputFor(letter("d", exchange.ContentSet))
		p.OutputFor(letter("c", exchange.ContentSet+1))
		p.OutputFor(letter("s", exchange.Resource))
		p.OutputFor(letter("t", exchange.Resource))
		late := letter("L", exchange.Connection)
		late.Name = "Late"
		p.OutputFor(late)
		e := letter("e", exchange.ContentSet-2)
		e.Pages = true
		p.OutputFor(e)
		p.InputFor(exchange.Filter{Name: "in"})
		p.Add(Reply, "Header", func(_ context.Context, x *exchange.Exchange) error {
			x.Res.Header.Set("Saw", x.Res.Header.Joined("Ran"))
			return nil
		})
		return nil
	}
	c := compiler{builders: []builder{{&Module{Name: "core"}, core}, {&Module{Name: "letters"}, letters}}}
	p, err := c.server(&directive.Scope{Kind: directive.Main})
	if err != nil {
		t.Fatal(err)
	}
	x := &exchange.Exchange{}
	x.State[exchange.StatePlan] = p
	if f, ok := OutputNamed(x, "LATE"); !ok || f.Module != "letters" {
		t.Error("the named filter:", f, ok)
	}
	if _, ok := InputNamed(x, "late"); ok {
		t.Error("it is none for requests")
	}
	if _, ok := InputNamed(x, "IN"); !ok {
		t.Error("one for requests is not found")
	}
	return &Site{}, p
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
	p.InputFor(exchange.Filter{Name: "count", Kind: exchange.Resource, Do: func(context.Context, *exchange.Exchange) error { runs++; return nil }})
	p.AddInput("COUNT")
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

// TestInputOrder: a request's body passes the filter that was put in last, of the greatest kind, first, as in httpd, where
// each reads from the next one.
func TestInputOrder(t *testing.T) {
	var order []string
	note := func(name string, kind exchange.FilterKind) exchange.Filter {
		return exchange.Filter{Name: name, Kind: kind, Do: func(context.Context, *exchange.Exchange) error { order = append(order, name); return nil }}
	}
	p := &Plan{}
	for _, f := range []exchange.Filter{note("first", exchange.Resource), note("unpack", exchange.ContentSet), note("second", exchange.Resource)} {
		p.InputFor(f)
		p.AddInput(f.Name)
	}
	x := &exchange.Exchange{}
	x.Req.Length = -1
	x.AddInput(note("step", exchange.Resource))
	if input(context.Background(), x, p); strings.Join(order, " ") != "unpack second first step" {
		t.Error(order)
	}
}

// TestUnknownFilter: a name that nobody has is told with each request; the others run.
func TestUnknownFilter(t *testing.T) {
	p := &Plan{Local: &exchange.Local{}}
	p.OutputFor(letter("a", exchange.Resource))
	p.AddOutput("nobody")
	p.AddOutput("a")
	var log lines
	x := &exchange.Exchange{Server: &exchange.Server{ErrorLog: &log}, Local: p.Local}
	x.State[exchange.StatePlan] = p
	x.Res.Status = 200
	x.Res.Text("text")
	(&Site{}).reply(context.Background(), x)
	if b, _ := io.ReadAll(x.Res.Body); string(b) != "a(text)" || strings.Join(log, "") != "AH00082: an unknown filter was not added: nobody" {
		t.Errorf("%s %q", b, log)
	}
}

type lines []string

func (l *lines) Write(e *exchange.LogEntry) { *l = append(*l, e.Message) }
