package proxy

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/mod/hcheck"
	"balancerd/proxy/upstream"
)

// Doubt notes what the lines of a configuration name and cannot work: members of a scheme that nobody serves,
// parameters without effect, balancers without members, AJP members that ask for no secret, members of TLS where no line
// allows it. serves reports whether a scheme is served.
func Doubt(c *directive.Config, serves func(scheme string) bool) {
	d := &doubter{config: c, serves: serves}
	d.remotes = mentionsDirective(c.Tree.Nodes, "proxyremote", "proxyremotematch")
	d.noTLS = !mentionsDirective(c.Tree.Nodes, "sslproxyengine")
	d.nodes(c.Tree.Nodes)
	d.empty()
	d.withoutSecret()
	d.unkept()
	for _, s := range append([]*directive.Scope{c.Main}, c.VHosts...) {
		d.hidden(inventoryIn(s).lines)
	}
}

type doubter struct {
	config   *directive.Config
	inOurs   bool // within an <IfModule> that httpd passes over
	serves   func(string) bool
	mentions mentions // nil: not looked for yet
	remotes  bool     // there is a ProxyRemote
	noTLS    bool     // there is no SSLProxyEngine
	ajp      []ajpMember
	persist  apacheconf.Pos // the first BalancerPersist
}

// ajpMember is the address of an AJP member, and where it is named first.
type ajpMember struct {
	balancer.Address
	directive.Args
}

// withoutEffect are the parameters that change nothing here, and why.
var withoutEffect = map[string]string{
	"smax":         "ttl= alone ends idle connections",
	"min":          "no connection is opened before it is needed",
	"flusher":      "answers are passed on as they come",
	"flushpackets": "answers are passed on as they come", "flushwait": "answers are passed on as they come",
}

func (d *doubter) nodes(list []apacheconf.Node) {
	for _, n := range list {
		switch n := n.(type) {
		case *apacheconf.Group:
			before := d.inOurs
			d.inOurs = before || strings.EqualFold(n.Name, "<IfModule") && strings.Contains(strings.ToLower(n.Raw), "balancerd")
			d.nodes(n.Children)
			d.inOurs = before
		case *apacheconf.Section:
			if strings.EqualFold(n.Name, "<Proxy") {
				d.words(n.Name, strings.TrimSuffix(n.Args, ">"), n.Pos)
			}
			d.nodes(n.Children)
		case *apacheconf.Directive:
			switch strings.ToLower(n.Name) {
			case "proxypass", "proxypassmatch", "balancermember", "proxyset", "proxyhctemplate":
				d.words(n.Name, n.Args, n.Pos)
			case "balancerpersist":
				if d.persist.File == "" {
					d.persist = n.Pos
				}
			case "sethandler":
				w, _ := apacheconf.Word(n.Args)
				if url, ok := strings.CutPrefix(w, "proxy:"); ok {
					d.url(directive.Args{Name: n.Name, Pos: n.Pos}, url)
				}
			}
		}
	}
}

// words looks at a line's URL and at its parameters.
func (d *doubter) words(name, args string, pos apacheconf.Pos) {
	a := directive.Args{Name: name, Pos: pos}
	var idle []string
	for _, w := range apacheconf.Words(hcheck.QuoteWhole(args)) {
		key, value, isParam := strings.Cut(w, "=")
		low := strings.ToLower(key)
		if q := balancer.WorkerParams.Named(low); q != nil && q.Own && isParam && !d.inOurs {
			d.config.Tunes(a, low+"= is none of httpd's, which would refuse the line: in <IfModule mod_balancerd.c> it would not read it")
		}
		if low == "proxyprotocol" && isParam && d.remotes && !strings.EqualFold(value, balancer.ProxyProtocolOff.String()) {
			idle = append(idle, "by ProxyRemote no PROXY header goes to http and ws members: it is the other proxy that connects to them")
		}
		switch why := withoutEffect[low]; {
		case isParam && why != "":
			idle = append(idle, low+"= has no effect here: "+why)
		case !isParam || strings.Contains(key, "/"):
			d.url(a, w)
		}
	}
	for _, text := range slices.Compact(idle) {
		d.config.Tunes(a, text)
	}
}

func (d *doubter) url(a directive.Args, word string) {
	d.noteAJP(a, word)
	if _, rest, ok := strings.Cut(word, "|"); ok && strings.HasPrefix(strings.ToLower(word), "unix:") {
		word = rest
	}
	scheme, _, ok := strings.Cut(word, "://")
	if scheme = strings.ToLower(scheme); ok && d.noTLS && backend.Secure(scheme) && a.Name != "<Proxy" {
		d.config.Fails(a, scheme+":// members need SSLProxyEngine On: their requests get 500")
	}
	if !ok || strings.ContainsAny(scheme, "$/*^( ") || scheme == "balancer" || d.serves(scheme) {
		return
	}
	d.config.Fails(a, scheme+":// members can't be served here: requests for "+word+" get 500")
}

// noteAJP notes an AJP member beyond this machine.
func (d *doubter) noteAJP(a directive.Args, word string) {
	if !strings.HasPrefix(strings.ToLower(word), "ajp://") {
		return
	}
	to, err := balancer.ParseAddress(word, "/", true)
	if err != nil || to.Varies || isLoopback(to.Host) {
		return
	}
	if !slices.ContainsFunc(d.ajp, func(m ajpMember) bool { return m.Host == to.Host && m.Port == to.Port }) {
		d.ajp = append(d.ajp, ajpMember{to, a})
	}
}

func isLoopback(host string) bool {
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return a.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost")
}

// withoutSecret notes AJP members beyond this machine that no line gives a secret: such a member believes whoever
// reaches it who the user is.
func (d *doubter) withoutSecret() {
	if len(d.ajp) == 0 {
		return
	}
	given := map[string]bool{} // all workers of an address have a secret
	for _, s := range append([]*directive.Scope{d.config.Main}, d.config.VHosts...) {
		for w := range inventoryIn(s).everyWorker() {
			if at := hostPort(&w.Address); w.Scheme == "ajp" {
				before, known := given[at]
				given[at] = (before || !known) && w.set.Secret != ""
			}
		}
	}
	for _, m := range d.ajp {
		if at := hostPort(&m.Address); !given[at] {
			d.config.Opens(m.Args, "an AJP member is given no secret=: whoever reaches its port is believed who its user is; give one here and there, or keep the port closed to others")
		}
	}
}

func hostPort(a *balancer.Address) string { return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port))) }

// mentionsDirective reports whether a tree has one of these directives, which are in lower case.
func mentionsDirective(list []apacheconf.Node, names ...string) bool {
	return slices.ContainsFunc(list, func(n apacheconf.Node) bool {
		switch n := n.(type) {
		case *apacheconf.Group:
			return mentionsDirective(n.Children, names...)
		case *apacheconf.Section:
			return mentionsDirective(n.Children, names...)
		case *apacheconf.Directive:
			return slices.Contains(names, strings.ToLower(n.Name))
		}
		return false
	})
}

// empty notes balancers that have no members and get none.
func (d *doubter) empty() {
	for _, s := range append([]*directive.Scope{d.config.Main}, d.config.VHosts...) {
		for _, c := range inventoryIn(s).clusters {
			if len(c.members.all) > 0 || s != d.config.Main && inherits(d.config.Main, s, c.name) {
				continue
			}
			if d.mentions == nil {
				d.mentions = mentions{}
				d.findMentions(d.config.Tree.Nodes)
			}
			a := directive.Args{Name: "BalancerMember", Pos: d.mentions[c.name]}
			d.config.Fails(a, c.name+" has no members: its requests get 503")
		}
	}
}

// hidden notes lines of a server whose path an earlier one takes: the first that fits counts.
func (d *doubter) hidden(lines []*upstream.Line) {
	before := map[string]*upstream.Line{} // by path, without a slash at its end
	for _, l := range lines {
		if l.Pattern != nil || l.Flags&(upstream.Interpolate|upstream.MapEncoded) != 0 {
			continue
		}
		bare := strings.TrimRight(l.Path, "/")
		for path := bare; ; path = path[:strings.LastIndexByte(path, '/')] {
			if first := before[path]; first != nil && strings.HasPrefix(l.Path, first.Path) {
				a := directive.Args{Name: "ProxyPass", Pos: apacheconf.Pos{File: l.File, Line: l.Number}}
				d.config.Fails(a, "ProxyPass "+l.Path+" is never reached: ProxyPass "+first.Path+" on line "+strconv.Itoa(first.Number)+" comes first, and the first that fits counts")
				break
			}
			if !strings.Contains(path, "/") {
				break
			}
		}
		if before[bare] == nil {
			before[bare] = l
		}
	}
}

// unkept notes that virtual hosts don't inherit the main server's BalancerPersist.
func (d *doubter) unkept() {
	if !servers.Merged(d.config.Main).persist {
		return
	}
	for _, host := range d.config.VHosts {
		if !servers.Merged(host).persist {
			a := directive.Args{Name: "BalancerPersist", Pos: d.persist}
			d.config.Hint(a, "BalancerPersist On here is the main server's alone: a virtual host needs a line of its own")
			return
		}
	}
}

// inherits reports whether a virtual host has the main server's members of a balancer.
func inherits(main, host *directive.Scope, name string) bool {
	set, c := servers.Merged(main, host), inventoryIn(main).named(name)
	return set.inherits() && c != nil && len(c.members.all) > 0
}

// findMentions notes the first line that names each balancer.
func (d *doubter) findMentions(list []apacheconf.Node) {
	for _, n := range list {
		switch n := n.(type) {
		case *apacheconf.Group:
			d.findMentions(n.Children)
		case *apacheconf.Section:
			d.mentions.add(n.Args, n.Pos)
			d.findMentions(n.Children)
		case *apacheconf.Directive:
			d.mentions.add(n.Args, n.Pos)
		}
	}
}

// mentions are the places where balancers are named first, by their names.
type mentions map[string]apacheconf.Pos

func (m mentions) add(args string, pos apacheconf.Pos) {
	for args = strings.ToLower(args); ; {
		i := strings.Index(args, balancer.Prefix)
		if i < 0 {
			return
		}
		end := len(balancer.Prefix)
		for args = args[i:]; end < len(args) && strings.IndexByte(" \t/\"'>", args[end]) < 0; end++ {
		}
		if _, known := m[args[:end]]; !known {
			m[args[:end]] = pos
		}
		args = args[end:]
	}
}

// MemberHosts are the names of hosts that members have, each once; neither addresses nor names that a request
// makes.
func MemberHosts(c *directive.Config) (names []string) {
	seen := map[string]bool{}
	for _, s := range append([]*directive.Scope{c.Main}, c.VHosts...) {
		for w := range inventoryIn(s).everyWorker() {
			if name := hostName(&w.Address); name != "" && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

func hostName(a *balancer.Address) string {
	host := strings.Trim(a.Host, "[]")
	if _, err := netip.ParseAddr(host); err == nil || a.Socket != "" || a.Varies || strings.ContainsAny(host, "$*") {
		return ""
	}
	return host
}
