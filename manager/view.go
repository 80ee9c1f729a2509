package manager

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"balancerd/balancer"
)

// view is one moment of a virtual host's balancers. The page, the XML and the JSON print nothing
// else; fields without a name of their own are of the page or the XML alone.
type view struct {
	Server        string         `json:"server"`
	Version       string         `json:"version"`
	Built         string         `json:"built"`
	Persisted     bool           `json:"persisted"`
	Inherited     bool           `json:"-"`
	PassInherited bool           `json:"-"`
	Balancers     []*balancerRow `json:"balancers"`

	HealthChecks bool            `json:"-"` // mod_proxy_hcheck is loaded
	Exprs        []balancer.Expr `json:"-"` // of the edit form
	Edit         *edit           `json:"-"` // nil: nothing is selected
	Notice       string          `json:"-"`
	Signature    template.HTML   `json:"-"`
	path         string          // of the request, escaped: what links repeat
}

// balancerRow is one balancer.
type balancerRow struct {
	Name         string            `json:"name"` // without prefix
	ID           string            `json:"id"`
	Nonce        string            `json:"nonce"`
	Path         string            `json:"path"`
	Active       bool              `json:"active"`
	MaxMembers   int               `json:"max_members"`
	Used         int               `json:"used_members"`
	Settings     map[string]string `json:"settings"` // as the configuration would say it
	Members      []*memberRow      `json:"members"`
	StickyCookie string            `json:"-"`
	Sticky       string            `json:"-"`
	NoFailover   bool              `json:"-"`
	ScolonDelim  bool              `json:"-"`
	Timeout      int64             `json:"-"` // seconds
	MaxAttempts  int               `json:"-"`
	AttemptsSet  bool              `json:"-"`
	Method       string            `json:"-"`
}

// memberRow is one member.
type memberRow struct {
	Name      string            `json:"name"` // "unix:/path|URL" or the URL
	URL       string            `json:"url"`
	Scheme    string            `json:"scheme"`
	Host      string            `json:"host"`
	Port      uint16            `json:"port"`
	Words     []string          `json:"status"`
	Usable    bool              `json:"usable"`
	Elected   uint64            `json:"elected"`
	Busy      int64             `json:"busy"`
	Load      int64             `json:"load"`
	Sent      int64             `json:"bytes_sent"`
	Received  int64             `json:"bytes_received"`
	Retries   int               `json:"retries"`
	ErrorTime time.Time         `json:"error_time,omitzero"`
	Passed    int               `json:"checks_passed"`
	Failed    int               `json:"checks_failed"`
	Settings  map[string]string `json:"settings"`
	Socket    bool              `json:"-"`
	Status    string            `json:"-"`
	Route     string            `json:"-"`
	Redirect  string            `json:"-"`
	Factor    string            `json:"-"`
	Set       int               `json:"-"`
	Health    healthRow         `json:"-"`
	state     balancer.Status
	settings  balancer.WorkerSettings
	pool      [3]int // min, smax, max in force
}

// healthRow is what the page says of a member's checks.
type healthRow struct {
	Method         string
	Interval       int64 // milliseconds
	Passes, Passed int
	Fails, Failed  int
	URI, Expr      string
}

// view is what the request gets to see.
func (v *visit) view() *view {
	p := &view{
		Server: v.facts.ServerName, Version: v.version, Built: v.built,
		Persisted: v.facts.Persisted, Inherited: v.facts.Inherited, PassInherited: v.facts.PassInherited,
		Balancers: []*balancerRow{}, Notice: v.notice, Signature: v.facts.Signature, path: linkPath(v.r.URL.Path),
	}
	only := v.only()
	for _, b := range v.all {
		p.HealthChecks = p.HealthChecks || b.Env().HCheck
		if only == nil || only == b {
			p.Balancers = append(p.Balancers, rowOf(b, v.facts.Threads))
		}
	}
	if v.selected != nil {
		p.Edit = v.editOf(p.HealthChecks)
		p.Exprs = v.selected.Env().Exprs
	}
	return p
}

func rowOf(b *balancer.Balancer, threads int) *balancerRow {
	s := b.Settings()
	most, used := b.MaxMembers()
	row := &balancerRow{
		Name: strings.TrimPrefix(b.Name(), balancer.Prefix), ID: b.SlotID(), Nonce: s.Nonce.V, Path: b.Path(), Active: true,
		MaxMembers: most, Used: used, Settings: balancer.BalancerParams.Values(s), Members: []*memberRow{},
		StickyCookie: s.Sticky.Cookie, Sticky: s.Sticky.String(), NoFailover: s.NoFailover.V, ScolonDelim: s.ScolonDelim.V,
		Timeout: int64(s.Timeout / time.Second), MaxAttempts: s.MaxAttempts.V, AttemptsSet: s.MaxAttempts.Set, Method: s.Method.V,
	}
	delete(row.Settings, "nonce")
	for _, w := range b.Members() {
		row.Members = append(row.Members, memberOf(w, threads))
	}
	return row
}

func memberOf(w *balancer.Worker, threads int) *memberRow {
	a, now := w.Address(), w.Snapshot()
	s := now.Settings
	row := &memberRow{
		Name: w.Name(), URL: a.URL, Scheme: a.Scheme, Host: a.Host, Port: a.Port, Socket: a.Socket != "",
		Words: strings.Fields(s.Status.String()), Status: s.Status.String(), Usable: s.Status.Usable(), state: s.Status,
		Elected: now.Elected, Busy: now.Busy, Load: now.Load, Sent: now.Sent, Received: now.Read,
		Retries: now.Retries, ErrorTime: now.ErrorTime, Passed: now.Passes, Failed: now.Fails,
		Route: s.Route, Redirect: s.Redirect, Factor: fmt.Sprintf("%.2f", s.Factor()), Set: s.LBSet,
		Settings: balancer.WorkerParams.Values(&s), settings: s,
		Health: healthRow{Method: s.Health.Method.String(), Interval: s.Health.Interval.Milliseconds(), Passes: s.Health.Passes,
			Passed: now.Passes, Fails: s.Health.Fails, Failed: now.Fails, URI: s.Health.URI, Expr: s.Health.Expr},
	}
	row.pool[0], row.pool[1], row.pool[2] = s.Pool(threads)
	return row
}

// Link is the page that selects b, and its member m when there is one. It begins with the path of
// the request, never with a host; what programs cut out of it stands in httpd's order.
func (p *view) Link(b *balancerRow, m *memberRow) template.URL {
	url := p.path + "?b=" + queryText(b.Name)
	if m != nil {
		url += "&w=" + queryText(m.URL)
	}
	return template.URL(url + "&nonce=" + queryText(b.Nonce))
}

// linkPath escapes a decoded path. Two slashes in front would name a host.
func linkPath(path string) string {
	if strings.HasPrefix(path, "//") {
		path = "/." + path
	}
	return escape(path, "")
}

// queryText escapes a value, but not its slashes and colons, which programs expect to find.
func queryText(s string) string { return escape(s, "&=+;") }

const plain = "$-_.+!*'(),:;@&=/~" // httpd: gen_test_char.c T_OS_ESCAPE_PATH

// escape is %xx for everything but letters, digits and plain; but also for what special names.
func escape(s, special string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z', strings.IndexByte(plain, c) >= 0 && strings.IndexByte(special, c) < 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}
