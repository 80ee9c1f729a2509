// Package fragment completes a part of a configuration, as tutorials show it or sites-available holds it, with what
// a whole one says elsewhere.
//
//	apacheconf.Tree (Partial) --> Complete --> Listen, LogFormat, places of logs, and a note of what httpd would miss
package fragment

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// Complete gives a part of a configuration what a whole one says elsewhere: addresses to listen on, and
// places for its logs. The error log's default and the pid file's depend on Tree.Partial, too.
func Complete(t *apacheconf.Tree) {
	c := &completer{tree: t}
	c.walk(t.Nodes, false)
	c.formats()
	if len(c.listens) == 0 {
		c.listen()
	}
	c.tell()
}

type completer struct {
	tree    *apacheconf.Tree
	listens []string              // as the file has them
	hosts   []*apacheconf.Section // its virtual hosts
	engine  bool                  // of the main server
	moved   []string              // logs that can't be written where they shall
	sources map[string]bool       // of modules whose directives are used
}

func (c *completer) walk(list []apacheconf.Node, inside bool) {
	for _, n := range list {
		switch n := n.(type) {
		case *apacheconf.Group:
			c.walk(n.Children, inside)
		case *apacheconf.Section:
			c.uses(n.Name)
			c.members(n.Name, strings.TrimSuffix(n.Args, ">"))
			if strings.EqualFold(n.Name, "<VirtualHost") {
				c.hosts = append(c.hosts, n)
			}
			c.walk(n.Children, true)
		case *apacheconf.Directive:
			c.uses(n.Name)
			c.members(n.Name, n.Args)
			c.line(n, inside)
		}
	}
}

func (c *completer) uses(name string) {
	if source, ok := (directive.Catalog{}).Provider(name); ok {
		if c.sources == nil {
			c.sources = map[string]bool{}
		}
		c.sources[source] = true
	}
}

func (c *completer) line(n *apacheconf.Directive, inside bool) {
	w, _ := apacheconf.Word(n.Args)
	switch strings.ToLower(n.Name) {
	case "listen":
		c.listens = append(c.listens, w)
	case "sslengine":
		c.engine = c.engine || !inside && strings.EqualFold(w, "on")
	case "errorlog":
		c.log(n, w, "/dev/stderr")
	case "customlog", "transferlog", "globallog":
		c.log(n, w, "/dev/stdout")
	}
}

// log gives a log a place, when its own is none.
func (c *completer) log(n *apacheconf.Directive, target, instead string) {
	switch {
	case strings.HasPrefix(target, "|"), strings.HasPrefix(target, "syslog"):
		return
	case !strings.Contains(target, "${"):
		if st, err := os.Stat(filepath.Dir(c.tree.Path(target))); err == nil && st.IsDir() {
			return
		}
	}
	c.moved = append(c.moved, n.Pos.String())
	_, rest := apacheconf.Word(n.Args)
	n.Args = strings.TrimSpace(instead + " " + rest)
}

// formats gives the names of log formats that each distribution's httpd.conf has.
func (c *completer) formats() {
	var list []apacheconf.Node
	for _, args := range []string{
		`"%h %l %u %t \"%r\" %>s %b" common`,
		`"%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" combined`,
		`"%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined`,
	} {
		list = append(list, &apacheconf.Directive{Name: "LogFormat", Args: args, Pos: apacheconf.Pos{File: c.tree.File}})
	}
	c.tree.Nodes = append(list, c.tree.Nodes...) // the file's own come later and count
}

// listen adds the addresses at which the virtual hosts expect requests; without any, 80, or 443 with TLS.
func (c *completer) listen() {
	var ports []string
	tls := map[string]bool{}
	at := map[string]apacheconf.Pos{}
	for _, h := range c.hosts {
		for _, word := range apacheconf.Words(strings.TrimSuffix(strings.TrimSpace(h.Args), ">")) {
			port := portOf(word)
			if port == "" {
				continue
			}
			if !slices.Contains(ports, port) {
				ports, at[port] = append(ports, port), h.Pos
			}
			tls[port] = tls[port] || engineOn(h.Children)
		}
	}
	if ports == nil {
		ports = []string{"80"}
		if c.engine {
			ports = []string{"443"}
		}
		at[ports[0]], tls[ports[0]] = apacheconf.Pos{File: c.tree.File, Line: 1}, c.engine
	}
	for _, port := range ports {
		args := port
		if tls[port] {
			args += " https"
		}
		c.listens = append(c.listens, port)
		c.tree.Nodes = append(c.tree.Nodes, &apacheconf.Directive{Name: "Listen", Args: args, Pos: at[port]})
	}
}

// portOf is the port of one word of <VirtualHost>; "" for none or any.
func portOf(word string) string {
	i := strings.LastIndexByte(word, ':')
	if i < 0 || strings.HasSuffix(word, "]") {
		return ""
	}
	if n, err := strconv.Atoi(word[i+1:]); err != nil || n < 1 || n > 65535 {
		return ""
	}
	return word[i+1:]
}

func engineOn(list []apacheconf.Node) bool {
	return slices.ContainsFunc(list, func(n apacheconf.Node) bool {
		switch n := n.(type) {
		case *apacheconf.Group:
			return engineOn(n.Children)
		case *apacheconf.Directive:
			w, _ := apacheconf.Word(n.Args)
			return strings.EqualFold(n.Name, "SSLEngine") && strings.EqualFold(w, "on")
		}
		return false
	})
}

// always are the modules without which httpd does not start.
var always = map[string]bool{"mpm_event_module": true, "authz_core_module": true}

// schemeModules are the modules that members need, by what begins their URLs.
var schemeModules = map[string][]string{
	"http://": {"proxy_http"}, "https://": {"proxy_http", "ssl"}, "ws://": {"proxy_wstunnel"}, "wss://": {"proxy_wstunnel", "ssl"}, "h2://": {"proxy_http2", "ssl"},
	"h2c://": {"proxy_http2"}, "ajp://": {"proxy_ajp"}, "fcgi://": {"proxy_fcgi"}, "scgi://": {"proxy_scgi"}, "uwsgi://": {"proxy_uwsgi"},
	"balancer://": {"proxy_balancer", "slotmem_shm", "lbmethod_byrequests"},
}

// members notes the modules that a line's URL needs.
func (c *completer) members(name, args string) {
	handler := strings.EqualFold(name, "SetHandler")
	if source, _ := (directive.Catalog{}).Provider(name); source != "mod_proxy.c" && !handler {
		return
	}
	for _, word := range apacheconf.Words(args) {
		word, isProxy := strings.CutPrefix(strings.ToLower(word), "proxy:")
		if handler && !isProxy {
			continue
		}
		c.sources["mod_proxy.c"] = true
		if socket, url, ok := strings.Cut(word, "|"); ok && strings.HasPrefix(socket, "unix:") {
			word = url
		}
		for scheme, modules := range schemeModules {
			if strings.HasPrefix(word, scheme) {
				for _, m := range modules {
					c.sources["mod_"+m+".c"] = true
				}
			}
		}
	}
}

// tell says what httpd would have missed.
func (c *completer) tell() {
	var missed []string
	for _, ident := range slices.Concat([]string{"mpm_event_module", "authz_core_module"}, directive.Obeyed()) {
		source, _, _ := directive.Catalog{}.Source(ident)
		if (always[ident] || c.sources[source]) && !slices.Contains(missed, ident) && !c.tree.Loads(ident) {
			missed = append(missed, ident)
		}
	}
	text := "this is a part of a configuration, and runs with all modules as if compiled in; httpd would miss LoadModule for " + strings.Join(missed, ", ") +
		"; listening on " + strings.Join(c.listens, ", ")
	c.tree.Notes = append(c.tree.Notes, apacheconf.Note{Pos: apacheconf.Pos{File: c.tree.File}, Text: text})
	if len(c.moved) > 0 {
		c.tree.Notes = append(c.tree.Notes, apacheconf.Note{Pos: apacheconf.Pos{File: c.tree.File},
			Text: "logs whose folder is not there go to standard output and standard error: " + strings.Join(c.moved, ", ")})
	}
}
