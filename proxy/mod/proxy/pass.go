package proxy

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/balancer"
	"balancerd/proxy/upstream"
)

var passWords = map[string]upstream.Flags{"nocanon": upstream.NoCanon, "interpolate": upstream.Interpolate, "noquery": upstream.NoQuery}

var mappings = map[string]upstream.Flags{"encoded": upstream.MapEncoded, "servlet": upstream.MapEncoded | upstream.MapServlet}

var (
	errPassPath      = errors.New("ProxyPass|ProxyPassMatch can not have a path when defined in a location.")
	errPassParameter = errors.New("Invalid ProxyPass|ProxyPassMatch parameter. Parameter must be in the form 'key=value'.")
	errPassNoPath    = errors.New("ProxyPass|ProxyPassMatch needs a path when not defined in a location")
	errPassUnix      = errors.New(`ProxyPass|ProxyPassMatch uses an invalid "unix:" URL`)
	errPassPattern   = errors.New("Regular expression could not be compiled.")
	errPassTilde     = errors.New("ProxyPassMatch invalid syntax ('~' usage).")
)

func setPass(s *directive.Scope, a directive.Args) error { return addPass(s, a, false) }

func setPassMatch(s *directive.Scope, a directive.Args) error { return addPass(s, a, true) }

// passLine is a ProxyPass line taken apart.
type passLine struct {
	path, target string // target with its unix socket
	complete     bool   // a target was there
	match        bool
	flags        upstream.Flags
	params       params
}

// addPass reads a line (httpd: mod_proxy.c add_pass).
func addPass(s *directive.Scope, a directive.Args, match bool) error {
	if err := a.Forbid(s, directive.Directory|directive.Files|directive.If|directive.Limit); err != nil {
		return err
	}
	p, err := readPass(s, a, match)
	if err != nil {
		return err
	}
	if !p.complete {
		return errPassNoPath
	}
	url, ok := balancer.StripSocket(p.target)
	if !ok {
		return errPassUnix
	}
	l := &upstream.Line{Path: p.path, URL: url, Flags: p.flags, File: a.Pos.File, Number: a.Pos.Line}
	if inSection(s) {
		p.match = p.match || pattern.IsShell(p.path)
		dirs.In(s).pass = l
	} else {
		inventoryOf(s).lines = append(inventoryOf(s).lines, l)
	}
	noteSlash(s, a, p, url)
	if p.match {
		if l.Pattern, err = pattern.Compile(p.path, pattern.Options{}); err != nil {
			return errPassPattern
		}
	}
	switch {
	case p.target == "!":
		return nil
	case upstream.IsBalancer(p.target):
		err = passToBalancer(s, p)
	default:
		err = passToWorker(s, a, p, url)
	}
	if err != nil {
		return inFront("ProxyPass", err)
	}
	return nil
}

// noteSlash notes a path that ends in a slash, and a URL that ends with its host: what follows the path would become a part
// of the host's name.
func noteSlash(s *directive.Scope, a directive.Args, p *passLine, url string) {
	_, host, ok := strings.Cut(url, "://")
	if ok && !p.match && strings.HasSuffix(p.path, "/") && !strings.ContainsAny(host, "/$") {
		s.Config.Fails(a, p.path+"page would go to "+url+"page: the URL needs a slash at its end, since the path has one")
	}
}

// inSection reports whether a line stands in a section, whose argument then is its path.
func inSection(s *directive.Scope) bool { return s.Kind&directive.Server == 0 }

func readPass(s *directive.Scope, a directive.Args, match bool) (*passLine, error) {
	p := &passLine{match: match}
	located := inSection(s)
	havePath := located
	if located {
		p.path = s.Arg
	}
	for _, w := range apacheconf.Words(a.Raw) {
		key, value, isParam := strings.Cut(w, "=")
		switch {
		case !havePath && w == "~":
			if match {
				return nil, errPassTilde
			}
			p.match = true
		case !havePath:
			p.path, havePath = w, true
		case !p.complete:
			p.target, p.complete = w, true
		case passWords[strings.ToLower(w)] != 0:
			p.flags |= passWords[strings.ToLower(w)]
		case !isParam && located && strings.HasPrefix(p.target, "/"):
			return nil, errPassPath
		case !isParam:
			return nil, errPassParameter
		case strings.EqualFold(key, "mapping"):
			f := mappings[strings.ToLower(value)]
			if f == 0 {
				return nil, errors.New("unknown mapping")
			}
			p.flags |= f
		default:
			p.params.set(key, value)
		}
	}
	return p, nil
}

// passToBalancer gives the balancer the line's parameters and its front-end path.
func passToBalancer(s *directive.Scope, p *passLine) error {
	front := ""
	if !p.match { // a pattern is no path
		front = frontPath(p.path)
	}
	v := inventoryOf(s)
	c := v.cluster(p.target)
	if c == nil {
		var err error
		if c, err = v.makeCluster(p.target, front); err != nil {
			return err
		}
	} else if !p.match {
		c.path = front
	}
	env := envOf(s)
	for _, kv := range p.params {
		if err := c.set.Set(kv.key, kv.value, env); err != nil {
			return &directive.Hinted{Msg: err.Error(), Hint: balancerHelp(err, kv, env.Methods)}
		}
	}
	return nil
}

// passToWorker makes the line's worker, or leaves it to one that covers its URL already and warns of
// the parameters that are lost by that.
func passToWorker(s *directive.Scope, a directive.Args, p *passLine, url string) error {
	v := inventoryOf(s)
	w := v.workers.find(url, kindOf(p.match))
	if w != nil {
		shareWorker(s, a, "AH01145", "AH01146", w, url, p.params)
		return nil
	}
	w, err := newWorker(s, p.target, p.match)
	if err != nil {
		return err
	}
	w.copyDefaults(s)
	v.workers.add(w)
	return w.setAll(s, p.params)
}

// frontPath is a ProxyPass path as the manager shows it: "/path", or "host -> /path" of a URL.
func frontPath(text string) string {
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		text = text[:i]
	}
	scheme, host, ok := upstream.SplitURL(text)
	if !ok {
		return text
	}
	return host + " -> " + text[len(scheme)+3+len(host):]
}
