package manager

import (
	"strings"
	"time"

	"balancerd/balancer"
)

// view is what a request gets to see. The page, the XML and the JSON print nothing else; they read each member as they
// come to it, so that a view of ten thousand members takes no more memory than one of ten.
type view struct {
	Server        string
	Version       string
	Built         string
	Persisted     bool
	Inherited     bool
	PassInherited bool
	Threads       int // what max= is where it is not set
	lists         []list

	// Of the page alone.
	HealthChecks bool            // mod_proxy_hcheck is loaded
	Exprs        []balancer.Expr // of the edit form
	Edit         *edit           // nil: nothing is selected
	Notice       string
	Signature    string // HTML
	path         string // of the request, escaped: what links repeat
}

// list is a balancer and the members that it had when the request came.
type list struct {
	balancer *balancer.Balancer
	members  []*balancer.Worker
}

// balancerRow is one balancer.
type balancerRow struct {
	Name       string // without prefix
	ID         string
	Nonce      string
	Path       string
	MaxMembers int
	Used       int
	settings   *balancer.BalancerSettings
}

// memberRow is one member.
type memberRow struct {
	Name      string // "unix:/path|URL" or the URL
	URL       string
	Scheme    string
	Host      string
	Port      uint16
	Socket    bool
	Status    string // "Init Ok "
	state     balancer.Status
	Elected   uint64
	Busy      int64
	Load      int64
	Sent      int64
	Received  int64
	Retries   int
	ErrorTime time.Time // zero: none
	Passed    int       // checks
	Failed    int
	settings  *balancer.WorkerSettings
}

// view is what the request gets to see.
func (v *visit) view() *view {
	p := &view{
		Server: v.facts.ServerName, Version: v.version, Built: v.built, Threads: v.facts.Threads,
		Persisted: v.facts.Persisted, Inherited: v.facts.Inherited, PassInherited: v.facts.PassInherited,
		Notice: v.notice, Signature: v.facts.Signature, path: linkPath(v.r.URL.Path),
	}
	only := v.only()
	for _, b := range v.all {
		p.HealthChecks = p.HealthChecks || b.Env().HCheck
		if only == nil || only == b {
			p.lists = append(p.lists, list{b, b.Members()})
		}
	}
	if v.selected != nil {
		p.Edit = v.editOf(p.HealthChecks)
		p.Exprs = v.selected.Env().Exprs
	}
	return p
}

func rowOf(b *balancer.Balancer) *balancerRow {
	s := b.Settings()
	most, used := b.MaxMembers()
	return &balancerRow{Name: strings.TrimPrefix(b.Name(), balancer.Prefix), ID: b.SlotID(), Nonce: s.Nonce.V, Path: b.Path(),
		MaxMembers: most, Used: used, settings: s}
}

// memberOf is a member as it is now.
func memberOf(w *balancer.Worker) memberRow {
	a, now := w.Address(), w.Snapshot()
	m := memberRow{
		Name: w.Name(), URL: a.URL, Scheme: a.Scheme, Host: a.Host, Port: a.Port, Socket: a.Socket != "",
		Elected: now.Elected, Busy: now.Busy, Load: now.Load, Sent: now.Sent, Received: now.Read,
		Retries: now.Retries, ErrorTime: now.ErrorTime, Passed: now.Passes, Failed: now.Fails, settings: now.Settings,
	}
	m.show(now.Status)
	return m
}

// show gives the row this status.
func (m *memberRow) show(s balancer.Status) { m.state, m.Status = s, s.String() }
