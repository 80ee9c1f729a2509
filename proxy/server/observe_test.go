package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// recorder writes down all that requests meet.
type recorder struct {
	mu   sync.Mutex
	told []string
}

func (r *recorder) Observe(x *exchange.Exchange, e exchange.Event) {
	text := ""
	switch e := e.(type) {
	case exchange.HostChosen:
		text = fmt.Sprint("host ", x.Server.Name, " named ", e.Named)
	case exchange.SectionsMerged:
		text = "sections"
		for _, s := range e.Sections {
			text += fmt.Sprintf(" <%s %s> line %d", s.Kind, s.Argument, s.Line)
		}
	case exchange.Picked:
		text = fmt.Sprintf("pick %s by %s (%s) of %d, err %v", e.Member, e.Method, e.Why, len(e.Candidates), e.Err != nil)
	case exchange.Attempted:
		text = fmt.Sprintf("attempt at %s: %d, failure %q, got %v", e.Member, e.Status, e.Failure, e.Got > 0)
	case exchange.Decision:
		text = fmt.Sprintf("decision %s %s: %s", e.Module, e.Name, e.Outcome)
	case exchange.StepDecided:
		text = fmt.Sprintf("step %s %s %s: %v", e.Phase, e.Module, e.Name, e.Err)
	case exchange.Handled:
		text = fmt.Sprintf("handler %s %s: %v", e.Module, e.Name, e.Err)
	case exchange.Failed:
		text = fmt.Sprint("failed ", e.Status)
	case exchange.Answered:
		text = fmt.Sprint("answered ", x.Res.Status, " ", x.Res.Sent, " bytes")
	case exchange.PhaseBegun, exchange.PhaseOver:
		return
	default:
		text = fmt.Sprintf("%T", e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, text)
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.told
	r.told = nil
	return told
}

func (r *recorder) module() site.Module {
	return site.Module{Name: "watch", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.Observe(func(*exchange.Exchange) exchange.Observer { return r })
			return nil
		}, nil
	}}
}

// TestObservedWhole: of a request to a real server with real members everything is told, from the virtual host to
// the last byte: the member that refused, and the one that answered.
func TestObservedWhole(t *testing.T) {
	r := &recorder{}
	dead := free(t)
	f := newFilterRig(t, strings.ReplaceAll(`<Proxy balancer://b>
BalancerMember http://DEAD
BalancerMember http://MEMBER
</Proxy>
<Location /m>
SetOutputFilter PACK
</Location>
ProxyPass /m balancer://b
`, "DEAD", dead), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, lines) }), r.module())
	if g := f.do(f.h11, "GET", "/m/x", "", "Accept-Encoding", "gzip"); g.StatusCode != 200 || g.body != lines {
		t.Fatal(g.StatusCode, len(g.body))
	}
	var told []string
	soon(t, "the answer is told", func() bool {
		told = append(told, r.take()...)
		return len(told) > 0 && strings.HasPrefix(told[len(told)-1], "answered")
	})
	want := []string{
		"host localhost named ",
		"decision proxy ProxyPass: ",
		"step translate_name proxy ProxyPass: phase settled",
		"sections <Proxy balancer://b> line ",
		"pick http://" + dead + " by byrequests (method) of 2, err false",
		"attempt at http://" + dead + ": 0, failure \"Refused\", got false",
		"pick http://", // the other one
		"handler proxy proxy-server: <nil>",
		"decision packing PACK: body",
		"attempt at http://127.0.0.1:",
		"answered 200 ",
	}
	rest := told
	for _, w := range want {
		i := 0
		for i < len(rest) && !strings.HasPrefix(rest[i], w) {
			i++
		}
		if i == len(rest) {
			t.Fatalf("%q is not told, or not in this order:\n%s", w, strings.Join(told, "\n"))
		}
		rest = rest[i+1:]
	}
	if g := f.do(f.h11, "GET", "/nothing", ""); g.StatusCode != 404 {
		t.Error(g.StatusCode)
	}
	soon(t, "the failure is told", func() bool {
		told = append(told, r.take()...)
		return strings.HasPrefix(told[len(told)-1], "answered 404")
	})
	if all := strings.Join(told, "\n"); !strings.Contains(all, "handler core default-handler: 404 Not Found\nfailed 404\n") {
		t.Error(all)
	}
}
