package hints

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/backend"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/recovery"
	"balancerd/proxy/site"
)

// Doubt adds hints about what a start takes and a request will not get: members whose scheme is none of schemes,
// and pages that are not there. files is the DocumentRoot where none is set.
func Doubt(c *directive.Config, schemes backend.Table, files string) {
	proxy.Doubt(c, func(scheme string) bool { return schemes.Find(scheme) != nil })
	d := &pages{config: c}
	d.server(c.Tree.Nodes, &pageServer{root: files})
}

// lookUpTime bounds all look-ups of members' names together.
const lookUpTime = 4 * time.Second

// Unresolved are hints about members whose names can't be looked up.
func Unresolved(s *site.Site) (lines []string) {
	names := proxy.MemberHosts(s.Config)
	failed := make([]error, len(names))
	ctx, cancel := context.WithTimeout(context.Background(), lookUpTime)
	defer cancel()
	var wait sync.WaitGroup
	slots := make(chan struct{}, 16) // so many look-ups at a time
	for i, name := range names {
		wait.Add(1)
		recovery.Go("looking up a member's name", func() {
			defer wait.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			_, failed[i] = net.DefaultResolver.LookupHost(ctx, name)
		})
	}
	wait.Wait()
	for i, name := range names {
		if failed[i] == nil {
			continue
		}
		at := places{}
		mentions(s.Config.Tree.Nodes, name, &at)
		lines = append(lines, "hint: "+at.String()+"the member's name "+name+" can't be looked up: its requests fail until it can")
	}
	return lines
}

// mentions adds the lines that name a host in a URL to at.
func mentions(list []apacheconf.Node, name string, at *places) {
	for _, n := range list {
		var args string
		switch n := n.(type) {
		case *apacheconf.Group:
			mentions(n.Children, name, at)
		case *apacheconf.Section:
			args = n.Args
			mentions(n.Children, name, at)
		case *apacheconf.Directive:
			args = n.Args
		}
		if strings.Contains(strings.ToLower(args), "://"+name) {
			at.add(n.Where().File, n.Where().Line)
		}
	}
}

// pages looks for ErrorDocument pages that are not there. It says nothing of a path that may be something else than
// a file below DocumentRoot or an Alias.
type pages struct{ config *directive.Config }

// pageServer is what the directives of one server, and of the main server before it, say of paths.
type pageServer struct {
	root      string
	aliases   [][2]string // path, folder
	elsewhere []string    // paths that are no files: of ProxyPass, Redirect, a Location's handler
	unsure    bool        // a pattern or a rule decides
	documents []page
}

type page struct {
	path string
	args directive.Args
}

// server gathers a server's lines, then its virtual hosts', and looks at what each needs.
func (d *pages) server(list []apacheconf.Node, s *pageServer) {
	var hosts []*apacheconf.Section
	d.lines(list, s, &hosts)
	for _, doc := range s.documents {
		if file, sure := s.find(doc.path); sure {
			if _, err := d.config.Files.Stat(file); err != nil && os.IsNotExist(err) {
				d.config.Fails(doc.args, "ErrorDocument "+doc.path+": there is no "+file+": the page is the server's own")
			}
		}
	}
	for _, h := range hosts {
		d.server(h.Children, &pageServer{root: s.root, aliases: s.aliases[:len(s.aliases):len(s.aliases)], elsewhere: s.elsewhere[:len(s.elsewhere):len(s.elsewhere)], unsure: s.unsure})
	}
}

func (d *pages) lines(list []apacheconf.Node, s *pageServer, hosts *[]*apacheconf.Section) {
	for _, n := range list {
		switch n := n.(type) {
		case *apacheconf.Group:
			d.lines(n.Children, s, hosts)
		case *apacheconf.Section:
			if strings.EqualFold(n.Name, "<VirtualHost") {
				*hosts = append(*hosts, n)
				continue
			}
			d.section(n, s, hosts)
		case *apacheconf.Directive:
			d.line(n, s)
		}
	}
}

// section takes a <Location>'s path as something of its own: it may have a handler or a mapping.
func (d *pages) section(n *apacheconf.Section, s *pageServer, hosts *[]*apacheconf.Section) {
	path, _ := apacheconf.Word(strings.TrimSuffix(n.Args, ">"))
	switch strings.ToLower(n.Name) {
	case "<location":
		if mapsAway(n.Children) {
			s.elsewhere = append(s.elsewhere, path)
		}
	case "<locationmatch":
		s.unsure = s.unsure || mapsAway(n.Children)
	}
	d.lines(n.Children, s, hosts)
}

func mapsAway(list []apacheconf.Node) bool {
	for _, n := range list {
		switch n := n.(type) {
		case *apacheconf.Group:
			if mapsAway(n.Children) {
				return true
			}
		case *apacheconf.Section:
			if mapsAway(n.Children) {
				return true
			}
		case *apacheconf.Directive:
			switch strings.ToLower(n.Name) {
			case "proxypass", "proxypassmatch", "sethandler", "redirect", "redirectmatch", "alias", "rewriterule", "fallbackresource":
				return true
			}
		}
	}
	return false
}

func (d *pages) line(n *apacheconf.Directive, s *pageServer) {
	w := apacheconf.Words(n.Args)
	if len(w) == 0 {
		return
	}
	switch strings.ToLower(n.Name) {
	case "documentroot":
		s.root = d.config.Tree.Path(w[0])
	case "alias":
		if len(w) == 2 {
			s.aliases = append(s.aliases, [2]string{w[0], d.config.Tree.Path(w[1])})
		}
	case "proxypass", "redirect", "redirectpermanent", "redirecttemp", "scriptalias":
		for _, word := range w {
			if strings.HasPrefix(word, "/") {
				s.elsewhere = append(s.elsewhere, word)
				break
			}
		}
	case "proxypassmatch", "redirectmatch", "aliasmatch", "scriptaliasmatch", "rewriterule", "fallbackresource", "virtualdocumentroot", "documentrootmatch":
		s.unsure = true
	case "errordocument":
		if len(w) == 2 && strings.HasPrefix(w[1], "/") && !strings.ContainsAny(w[1], "%{ ") {
			path, _, _ := strings.Cut(w[1], "?")
			s.documents = append(s.documents, page{path, directive.Args{Name: n.Name, Pos: n.Pos}})
		}
	}
}

// find is the file of a path; sure is false where it may be none. "ProxyPass /errors !" leaves a path to the
// files, and the look is left to the request.
func (s *pageServer) find(path string) (file string, sure bool) {
	if s.unsure {
		return "", false
	}
	for _, prefix := range s.elsewhere {
		if below(path, prefix) {
			return "", false
		}
	}
	for _, a := range s.aliases {
		if below(path, a[0]) {
			return a[1] + strings.TrimPrefix(path, a[0]), true
		}
	}
	if s.root == "" {
		return "", false
	}
	return s.root + path, true
}

func below(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || strings.HasSuffix(prefix, "/") || rest[0] == '/')
}
