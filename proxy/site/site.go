package site

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// Site is what the server does: one load of the configuration, built and immutable. A reload builds
// the next one and swaps it in.
type Site struct {
	Config     *directive.Config
	Hosts      []*Host // Hosts[0] is the main server; then the virtual hosts in file order
	Listeners  []Listener
	ErrorLog   exchange.ErrorLog // the main server's
	Settings   Settings
	Started    time.Time // of this load
	Generation int       // how many loads came before
	Checking   bool      // under -t: nothing will be served

	// ProxyProtocol reports whether a new connection must begin with a PROXY header; nil: none does.
	ProxyProtocol func(local, remote netip.AddrPort) bool

	names    *names
	byScope  map[*directive.Scope]*Host // by the main server's scope, or a virtual host's
	keeper   keeper
	access   accessFiles
	mu       sync.Mutex
	onCommit []func()
	onClose  []func()
	notices  []Notice
}

// Settings are the server-wide facts that other packages need: httpd's global directives.
type Settings struct {
	PidFile          string // "" for none
	User, Group      string
	GracefulTimeout  time.Duration // GracefulShutdownTimeout; 0 waits for ever
	Backlog          int           // ListenBacklog
	SendBuffer       int
	ReceiveBuffer    int
	MaxWorkers       int  // MaxRequestWorkers
	ThreadsPerChild  int  // default of max= for httpd; shown by the manager and the status page
	ExtendedStatus   bool // mod_status
	ServerRoot       string
	RuntimeDir       string
	RedirectLimit    int    // LimitInternalRecursion: internal redirects of one request; 0: 10
	LookupLimit      int    // its second number: lookups within one another; 0: 10
	Token            string // ServerTokens: the Server header
	ErrorLogFile     string // as printed by -S
	MainDocumentRoot string
}

// Listener is one Listen line.
type Listener struct {
	Address string // "127.0.0.1:8080", "[::]:80" for a bare port
	Text    string // as written, for messages
	Proto   string // "http" or "https"
	Pos     string // "file:line"
}

// Host is one server: the main one or a virtual host.
type Host struct {
	Server    *exchange.Server
	Scope     *directive.Scope
	Addresses []Address // of <VirtualHost>; none for the main server
	Names     []string  // ServerName and ServerAlias, lower case, in order, wildcards included
	Aliases   []string  // ServerAlias as written

	site     *Site
	root     *node
	sections []*sections // the main server's, which all share, then its own
	early    *Plan
	mapsByIf bool // an <If> has a say in how requests are mapped
}

// Notice is a line for the startup log.
type Notice struct {
	Module  string
	Level   exchange.Level
	Message string
	AtStart bool // httpd says so when it starts, and not under -t
}

// Options of Build.
type Options struct {
	Checking   bool
	Generation int
}

// Build makes a Site of a configuration. Nothing outside is changed: a failed Build leaves no trace.
// The error is worded as httpd words it at its start.
func Build(c *directive.Config, mods []Module, o Options) (*Site, error) {
	s := &Site{Config: c, byScope: map[*directive.Scope]*Host{}, Started: time.Now(), Checking: o.Checking, Generation: o.Generation}
	s.access.config = c
	s.add(&Host{Scope: c.Main, Server: &exchange.Server{Main: true}})
	for _, v := range c.VHosts {
		s.add(&Host{Scope: v, Server: &exchange.Server{}})
	}
	var all compiler
	for i := range mods {
		if mods[i].Open == nil {
			continue
		}
		b, err := mods[i].Open(c, s)
		if err != nil {
			s.Close() // what was opened for it already: its logs
			return nil, err
		}
		if b != nil {
			all.builders = append(all.builders, builder{&mods[i], b})
		}
	}
	for _, h := range s.Hosts {
		if err := s.compile(h, &all); err != nil {
			s.Close()
			return nil, err
		}
	}
	s.names = newNames(s.Hosts)
	return s, nil
}

func (s *Site) add(h *Host) {
	s.Hosts = append(s.Hosts, h)
	s.byScope[h.Scope] = h
}

// compile makes a host's own plan and sections, and has each section looked at behind the server that it
// stands in. The plans of sections are made when a request meets them.
func (s *Site) compile(h *Host, c *compiler) error {
	h.site = s
	own, err := compileSections(h.Scope)
	if err != nil {
		return err
	}
	base := []*directive.Scope{h.Scope}
	if main := s.Hosts[0]; h != main {
		base = []*directive.Scope{main.Scope, h.Scope}
		h.sections = main.sections
	}
	if h.early, err = c.server(base...); err != nil {
		return err
	}
	h.root = newTree(c, &s.keeper, h.early, base...)
	if err := c.checkLoads(h); err != nil {
		return err
	}
	h.sections = append(slices.Clip(h.sections), own)
	h.mapsByIf = slices.ContainsFunc(h.sections, c.mapsByIf)
	return c.checkOwn(h, own)
}

// Host is the host of a scope: of the server that it is or stands in.
func (s *Site) Host(scope *directive.Scope) *Host {
	if h := s.byScope[scope.Server]; h != nil {
		return h
	}
	return s.Hosts[0]
}

// OnCommit has f run when the site takes over: after everything that can fail.
func (s *Site) OnCommit(f func()) {
	s.mu.Lock()
	s.onCommit = append(s.onCommit, f)
	s.mu.Unlock()
}

// OnClose has f, which should hold no more than it needs, run when the last exchange of this site is over and another one serves, or when the
// site was built but never served.
func (s *Site) OnClose(f func()) {
	s.mu.Lock()
	s.onClose = append(s.onClose, f)
	s.mu.Unlock()
}

// Warn adds a line to the startup log. Warnings also appear under -t, as httpd prints them.
func (s *Site) Warn(module string, level exchange.Level, message string) {
	s.note(Notice{Module: module, Level: level, Message: message})
}

// WarnAtStart is Warn for what httpd's -t does not come to.
func (s *Site) WarnAtStart(module string, level exchange.Level, message string) {
	s.note(Notice{Module: module, Level: level, Message: message, AtStart: true})
}

func (s *Site) note(n Notice) {
	s.mu.Lock()
	s.notices = append(s.notices, n)
	s.mu.Unlock()
}

// Notices are the lines that Warn collected.
func (s *Site) Notices() []Notice { return s.notices }

// Commit runs what OnCommit gathered. The server calls it once.
func (s *Site) Commit() { s.run(&s.onCommit) }

// Detach returns what Close would do, which holds nothing else of the site. Close does nothing then.
func (s *Site) Detach() (close func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	todo := s.onClose
	s.onClose = nil
	return sync.OnceFunc(func() {
		for _, f := range todo {
			f()
		}
	})
}

// Close runs what OnClose gathered. The server calls it once.
func (s *Site) Close() { s.run(&s.onClose) }

func (s *Site) run(list *[]func()) {
	s.mu.Lock()
	todo := *list
	*list = nil
	s.mu.Unlock()
	for _, f := range todo {
		f()
	}
}

// Tables are the modules as the binding needs them: their names and directives.
func Tables(mods []Module) []directive.Module {
	var out []directive.Module
	for _, m := range mods {
		out = append(out, directive.Module{Name: m.Name, Table: m.Table})
	}
	return out
}
