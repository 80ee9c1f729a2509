package status

import (
	"context"
	"html/template"
	"os"
	"strconv"
	"strings"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/snapshot"
)

// Options is what the page needs of the rest of the server. Every field but Snapshot may be left out.
type Options struct {
	Snapshot  func() snapshot.Server                       // the server now
	Version   func(*exchange.Exchange) string              // "Apache/2.4.71 (Debian)", by ServerTokens; nil: the host's Server header
	Built     string                                       // when the server was built, "2026-11-12T08:58:41"
	MPM       string                                       // "" is "event": what monitoring knows
	Proxy     func(*exchange.Exchange) []snapshot.Balancer // the host's balancers; none with ProxyStatus Off
	Extended  func(*exchange.Exchange) bool                // ExtendedStatus; nil: On, as httpd has it with mod_status
	Tail      func(*exchange.Exchange) bool                // SeeRequestTail; nil: Off
	Signature func(*exchange.Exchange) template.HTML       // ServerSignature's lines; nil: the site's
	Now       func() time.Time                             // nil: time.Now
}

// Handler is the handler "server-status" (httpd: mod_status.c status_handler). It answers GET and
// HEAD and declines the rest.
type Handler struct {
	o    Options
	cpu  func() cpu
	load func() [3]float64
}

// New makes a Handler.
func New(o Options) *Handler {
	if o.MPM == "" {
		o.MPM = "event"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Handler{o: o, cpu: cpuNow, load: loadAverages}
}

// Serve makes the page, or with ?auto the lines for machines.
func (h *Handler) Serve(_ context.Context, x *exchange.Exchange) error {
	if m := x.Req.Method; m != "GET" && m != "HEAD" {
		return exchange.Declined
	}
	ask := asked(x.Req.Query)
	v := h.view(x)
	v.NoTable = ask.noTable
	print, kind := html, "text/html; charset=ISO-8859-1"
	if ask.auto {
		print, kind = auto, "text/plain; charset=ISO-8859-1"
	}
	body, err := print(v)
	if err != nil {
		return err
	}
	r := &x.Res
	r.Status, r.Local = 200, true
	if ask.refresh > 0 {
		r.Header.Set("Refresh", strconv.FormatInt(ask.refresh, 10))
	}
	r.Header.Set("Content-Type", kind)
	r.Bytes(body)
	return nil
}

// view gathers what one response shows.
func (h *Handler) view(x *exchange.Exchange) *view {
	v := &view{
		Server: h.o.Snapshot(), Name: strings.Clone(x.ServerName()), MPM: h.o.MPM, Built: h.o.Built, PID: os.Getpid(), Now: h.o.Now(),
		CPU: h.cpu(), Load: h.load(), Extended: h.o.Extended == nil || h.o.Extended(x),
		Tail: h.o.Tail != nil && h.o.Tail(x), Version: x.Server.Token,
	}
	if x.Conn != nil {
		v.Via = x.Conn.Local.Addr().Unmap().String()
	}
	if h.o.Version != nil {
		v.Version = h.o.Version(x)
	}
	if h.o.Signature != nil {
		v.Signature = h.o.Signature(x)
	}
	if h.o.Proxy != nil {
		v.Balancers = h.o.Proxy(x)
	}
	return v
}

// queryOptions are what the query asks for.
type queryOptions struct {
	refresh       int64 // seconds; 0 for none
	noTable, auto bool
}

const usualRefresh = 10 // seconds, when ?refresh names no positive number

// asked finds the words anywhere in the query, as httpd does.
func asked(query string) queryOptions {
	q := queryOptions{noTable: strings.Contains(query, "notable"), auto: strings.Contains(query, "auto")}
	if _, rest, found := strings.Cut(query, "refresh"); found {
		q.refresh = usualRefresh
		if n := leadingInt(rest); n >= 1 {
			q.refresh = n
		}
	}
	return q
}

// leadingInt is the number after "=", what follows it is ignored; neither a sign nor blanks are taken, and it is held
// near 1e9, where directive.Atoi has another end.
func leadingInt(s string) (n int64) {
	s, ok := strings.CutPrefix(s, "=")
	if !ok {
		return 0
	}
	for i := 0; i < len(s) && '0' <= s[i] && s[i] <= '9' && n < 1e9; i++ {
		n = n*10 + int64(s[i]-'0')
	}
	return n
}
