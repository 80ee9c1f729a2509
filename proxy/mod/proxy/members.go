package proxy

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/mod/hcheck"
	"balancerd/proxy/upstream"
)

var (
	errMemberNoBalancer = errors.New("BalancerMember must define balancer name when outside <Proxy > section")
	errMemberNoURL      = errors.New("BalancerMember must define remote proxy server")
	errMemberName       = errors.New("BalancerMember can not have a balancer name when defined in a location")
	errMemberParameter  = errors.New("Invalid BalancerMember parameter. Parameter must be in the form 'key=value'")
	errMemberUnix       = errors.New(`BalancerMember uses an invalid "unix:" URL`)
	errSetParameter     = errors.New("Invalid ProxySet parameter. Parameter must be in the form 'key=value'")
	errSetUnix          = errors.New(`ProxySet uses an invalid "unix:" URL`)
)

// setMember adds a member to a balancer (httpd: mod_proxy.c add_member).
func setMember(s *directive.Scope, a directive.Args) error {
	name, url, list, err := readMember(s, a)
	if err != nil {
		return err
	}
	real, ok := balancer.StripSocket(url)
	if !ok {
		return errMemberUnix
	}
	if err := addMember(s, a, strings.ToLower(name), url, real, list); err != nil {
		return inFront("BalancerMember", err)
	}
	return nil
}

// readMember takes a line's words apart: bare ones are the balancer's name, unless the section has
// it, and the member's URL.
func readMember(s *directive.Scope, a directive.Args) (name, url string, list params, err error) {
	var bare []string
	switch {
	case s.Kind == directive.If:
		bare = append(bare, "*if") // httpd's name for the section (httpd: core.c add_if_section)
	case inSection(s):
		bare = append(bare, s.Arg)
	}
	for _, w := range apacheconf.Words(hcheck.QuoteWhole(a.Raw)) {
		key, value, isParam := strings.Cut(w, "=")
		switch {
		case isParam:
			list.set(key, value)
		case len(bare) < 2:
			bare = append(bare, w)
		case inSection(s):
			return "", "", nil, errMemberName
		default:
			return "", "", nil, errMemberParameter
		}
	}
	switch len(bare) {
	case 0:
		return "", "", nil, errMemberNoBalancer
	case 1:
		return "", "", nil, errMemberNoURL
	}
	return bare[0], bare[1], list, nil
}

func addMember(s *directive.Scope, a directive.Args, name, url, real string, list params) error {
	c, err := inventoryOf(s).makeCluster(name, "/")
	if err != nil {
		return err
	}
	if w := c.members.find(real, anyWorker); w != nil {
		ours, rest := list.ours()
		if len(ours) == 0 || len(rest) > 0 {
			shareWorker(s, a, "AH01149", "AH01150", w, url, rest)
		}
		return w.setAll(s, ours)
	}
	w, err := newWorker(s, url, false)
	if err != nil {
		return err
	}
	w.copyDefaults(s)
	c.members.add(w)
	return w.setAll(s, list)
}

// shareWorker says that a line uses a worker of an earlier one, whose parameters hold. httpd's lines
// about virtual hosts are lost, since their error logs are not open yet: what has no effect is a hint.
func shareWorker(s *directive.Scope, a directive.Args, note, warning string, w *worker, url string, list params) {
	if s.Server != s.Config.Main {
		for _, kv := range list {
			s.Config.Hint(a, kv.key+"="+kv.value+" has no effect: the worker '"+w.Name()+"' serves this URL, with the parameters of its first line")
		}
		return
	}
	v := inventoryOf(s)
	v.notes = append(v.notes, note+": Sharing worker '"+w.Name()+"' instead of creating new worker '"+url+"'")
	for _, kv := range list {
		s.Config.Warn(a.Pos, "proxy", warning+": Ignoring parameter '"+kv.key+"="+kv.value+"' for worker '"+w.Name()+"' because of worker sharing")
	}
}

// target is what ProxySet and <Proxy> arguments speak to: a balancer or a worker.
type target struct {
	cluster *cluster
	worker  *worker
}

// set gives the target one parameter.
func (t target) set(s *directive.Scope, key, value string) error {
	if t.worker != nil {
		return t.worker.set.Set(key, value, envOf(s))
	}
	return t.cluster.set.Set(key, value, envOf(s))
}

// setAll reads key=value words. A bad value's error is framed: before the text, and behind it the
// word and the target's name.
func (t target) setAll(s *directive.Scope, words []string, name, before string, bad error) error {
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			return bad
		}
		noteCheck(s, key)
		if err := t.set(s, key, value); err != nil {
			return &directive.Hinted{Msg: before + err.Error() + " " + key + "=" + value + "; " + name, Hint: t.help(s, err, param{key, value})}
		}
	}
	return nil
}

// help is the help where a parameter fails.
func (t target) help(s *directive.Scope, err error, kv param) string {
	switch {
	case t.cluster != nil:
		return balancerHelp(err, kv, envOf(s).Methods)
	case balancer.IsUnknown(err):
		return unknownWorkerParam(kv)
	}
	return ""
}

// setParameters is ProxySet: in a <Proxy> for what the section names, which is made if need be, else
// for what its first word names (httpd: mod_proxy.c set_proxy_param).
func setParameters(s *directive.Scope, a directive.Args) error {
	words := apacheconf.Words(hcheck.QuoteWhole(a.Raw))
	if s.Kind == directive.Proxy {
		t, err := makeTarget(s, s.Arg, s.Regex, errSetUnix)
		if err != nil {
			return carried("ProxySet ", err, errSetUnix)
		}
		return t.setAll(s, words, s.Arg, "ProxySet: ", errSetParameter)
	}
	name := ""
	if len(words) > 0 {
		name, words = words[0], words[1:]
	}
	t, err := findTarget(s, name)
	if err != nil {
		return err
	}
	return t.setAll(s, words, name, "ProxySet: ", errSetParameter)
}

// findTarget is the balancer or worker of a name.
func findTarget(s *directive.Scope, name string) (target, error) {
	v := inventoryOf(s)
	if upstream.IsBalancer(name) {
		if c := v.cluster(name); c != nil {
			return target{cluster: c}, nil
		}
		return target{}, errors.New("ProxySet can not find '" + name + "' Balancer.")
	}
	url, ok := balancer.StripSocket(name)
	if !ok {
		return target{}, errSetUnix
	}
	if w := v.workers.find(url, anyWorker); w != nil {
		return target{worker: w}, nil
	}
	return target{}, errors.New("ProxySet can not find '" + name + "' Worker.")
}

// makeTarget is the balancer or worker of a name, made when it is mentioned first. bad is the error of
// a socket without a URL.
func makeTarget(s *directive.Scope, name string, match bool, bad error) (target, error) {
	v := inventoryOf(s)
	if upstream.IsBalancer(name) {
		c, err := v.makeCluster(name, "/")
		return target{cluster: c}, err
	}
	url, ok := balancer.StripSocket(name)
	if !ok {
		return target{}, bad
	}
	if w := v.workers.find(url, kindOf(match)); w != nil {
		return target{worker: w}, nil
	}
	w, err := newWorker(s, name, match)
	if err != nil {
		return target{}, err
	}
	v.workers.add(w)
	return target{worker: w}, nil
}
