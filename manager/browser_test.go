package manager_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"balancerd/balancer"
	"balancerd/manager"
	"balancerd/testdata/chromium"
)

// front serves the manager, and in place of a proxy answers with the name of the member that is picked.
func front(t *testing.T, f *balancer.Farm) *httptest.Server {
	mux := http.NewServeMux()
	m := manager.New(f, manager.Options{Version: "Apache/2.4.71 (Debian)", Built: "2026-11-12T08:58:41"})
	mux.HandleFunc(base, func(w http.ResponseWriter, r *http.Request) {
		m.ServeHTTP(w, r.WithContext(manager.WithFacts(r.Context(), manager.Facts{VHost: vhost})))
	})
	mux.HandleFunc("/app", func(w http.ResponseWriter, r *http.Request) {
		c, err := f.Balancer(vhost, "app").Claim(nil, time.Now())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer c.Done()
		io.WriteString(w, c.Worker.Settings().Route)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// picks is who answers n requests.
func picks(t *testing.T, s *httptest.Server, n int) string {
	t.Helper()
	var who []string
	for range n {
		r, err := s.Client().Get(s.URL + "/app")
		if err != nil {
			t.Fatal(err)
		}
		who = append(who, text(t, r))
		r.Body.Close()
	}
	return strings.Join(who, " ")
}

// tab is one page of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func (b tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// click presses the mouse's button on an element that leads to another page, and waits for that.
func (b tab) click(selector chromedp.CSS) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(selector))); err != nil {
		b.t.Fatal(err)
	}
}

// value is what a script on the page makes of an expression.
func value[T any](b tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

const (
	firstMember = "body > table:nth-of-type(2) tr:nth-child(2)"
	statusOf    = `document.querySelector("` + firstMember + ` > td:nth-child(6)").textContent`
)

// TestWithTheMouse disables a member as people do, and sees the requests move.
func TestWithTheMouse(t *testing.T) {
	b := tab{t, chromium.Start(t, time.Minute)}
	s := front(t, farmOf(t, spec(t, "app", "/app", "", env, "http://127.0.0.1:1 route=b1", "http://127.0.0.1:2 route=b2")))
	if got := picks(t, s, 4); got != "b1 b2 b1 b2" {
		t.Fatal(got)
	}
	b.do(chromedp.Navigate(s.URL + base))
	if got := value[string](b, statusOf); got != "Init Ok " {
		t.Errorf("at first: %q", got)
	}
	b.click(firstMember + " a")
	b.do(chromedp.SetValue(chromedp.ID("w_lf"), "5"), chromedp.Click(chromedp.ID("w_status_D1")))
	b.click("input[type=submit]")
	if got := value[string](b, statusOf+` + w_lf.value + w_status_D1.checked`); got != "Init Dis 5.00true" {
		t.Errorf("disabled: %q", got)
	}
	if got := picks(t, s, 4); got != "b2 b2 b2 b2" {
		t.Errorf("disabled: %s", got)
	}
	const notices = `[...document.querySelectorAll(".notice")].map(e => e.textContent).join("|")`
	b.do(chromedp.Navigate(s.URL + base))
	if got := value[string](b, notices); got != "b1's load factor is now 5.00; b1 disabled" {
		t.Errorf("notice %q", got)
	}
	b.do(chromedp.Reload())
	if got := value[string](b, notices); got != "" {
		t.Errorf("the notice stays: %q", got)
	}
	b.click(firstMember + " a")
	b.do(chromedp.Click(chromedp.ID("w_status_D0")))
	b.click("input[type=submit]")
	if got := value[string](b, statusOf); got != "Init Ok " {
		t.Errorf("enabled: %q", got)
	}
	if got := picks(t, s, 4); !strings.Contains(got, "b1") {
		t.Errorf("enabled: %s", got)
	}
}

// TestClothes: on a phone the page itself does not scroll sideways but its tables do; it has a dark
// side; statuses have colours; nothing comes from elsewhere.
func TestClothes(t *testing.T) {
	b := tab{t, chromium.Start(t, time.Minute)}
	s := front(t, samples(t))
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), chromedp.Navigate(s.URL+base))
	if wide := value[int](b, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("on a phone the page is %d wide", wide)
	}
	if n := value[int](b, `[...document.querySelectorAll("body > table")].filter(t => t.scrollWidth > t.clientWidth).length`); n != 4 {
		t.Errorf("%d of 4 tables scroll", n)
	}
	const background = `getComputedStyle(document.body).backgroundColor`
	light := value[string](b, background)
	dark := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, dark); err != nil {
		t.Fatal(err)
	}
	if dark := value[string](b, background); dark == light {
		t.Errorf("light and dark are both %s", dark)
	}
	c := value[[]string](b, `[...document.querySelectorAll("body > table:nth-of-type(even) td:nth-child(6)")].map(c => getComputedStyle(c).color)`)
	if len(c) != 7 || c[0] != c[2] || c[0] == c[1] || c[0] == c[3] || c[5] != c[6] || c[4] == c[5] {
		t.Errorf("colours %q", c)
	}
	if n := value[int](b, `performance.getEntriesByType("resource").filter(r => !r.name.endsWith("/favicon.ico")).length`); n != 0 {
		t.Errorf("%d things loaded", n)
	}
}
