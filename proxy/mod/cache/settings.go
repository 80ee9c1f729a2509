package cache

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	kept "balancerd/proxy/cache"
	"balancerd/proxy/exchange"
)

type (
	flag  = directive.Opt[bool]
	count = directive.Opt[int64]
)

// enabled is a CacheEnable or CacheDisable: a type, and where.
type enabled struct {
	provider string
	at       target
}

// serverSettings are those of a server (httpd: cache_server_conf, disk_cache_conf, cache_socache_conf).
type serverSettings struct {
	enable, disable []enabled
	quick           flag
	ignoreControl   flag
	ignoreQuery     flag
	lock            flag
	header, detail  flag
	lockAge         directive.Opt[time.Duration]
	ignoreHeaders   directive.Opt[[]string]
	ignoreIDs       directive.Opt[[]string]
	base            directive.Opt[*url.URL]
	root            directive.Opt[string]
	socache         directive.Opt[string]
	levels, length  int // CacheDirLevels, CacheDirLength: checked only
}

// sectionSettings are those that sections may have as well (httpd: cache_dir_conf and the like).
type sectionSettings struct {
	enable                                     []enabled
	disable                                    flag
	noLastModified, expired, private, noStore  flag
	header, detail, stale                      flag
	maxExpire, minExpire, defaultExpire        count // seconds
	factor                                     directive.Opt[float64]
	minFile, maxFile                           count
	socacheMax, socacheMaxTime, socacheMinTime count
}

var (
	servers  = directive.NewKey("mod_cache server", mergeServers)
	sections = directive.NewKey("mod_cache", mergeSections)
)

func mergeServers(o, i serverSettings) serverSettings {
	return serverSettings{
		enable: slices.Concat(o.enable, i.enable), disable: slices.Concat(o.disable, i.disable),
		quick: i.quick.Over(o.quick), ignoreControl: i.ignoreControl.Over(o.ignoreControl), ignoreQuery: i.ignoreQuery.Over(o.ignoreQuery),
		lock: i.lock.Over(o.lock), header: i.header.Over(o.header), detail: i.detail.Over(o.detail), lockAge: i.lockAge.Over(o.lockAge),
		ignoreHeaders: i.ignoreHeaders.Over(o.ignoreHeaders), ignoreIDs: i.ignoreIDs.Over(o.ignoreIDs), base: i.base.Over(o.base),
		root: i.root.Over(o.root), socache: i.socache.Over(o.socache),
	}
}

func mergeSections(o, i sectionSettings) sectionSettings {
	return sectionSettings{
		enable: slices.Concat(o.enable, i.enable), disable: i.disable.Over(o.disable),
		noLastModified: i.noLastModified.Over(o.noLastModified), expired: i.expired.Over(o.expired), private: i.private.Over(o.private),
		noStore: i.noStore.Over(o.noStore), header: i.header.Over(o.header), detail: i.detail.Over(o.detail), stale: i.stale.Over(o.stale),
		maxExpire: i.maxExpire.Over(o.maxExpire), minExpire: i.minExpire.Over(o.minExpire), defaultExpire: i.defaultExpire.Over(o.defaultExpire),
		factor: i.factor.Over(o.factor), minFile: i.minFile.Over(o.minFile), maxFile: i.maxFile.Over(o.maxFile),
		socacheMax: i.socacheMax.Over(o.socacheMax), socacheMaxTime: i.socacheMaxTime.Over(o.socacheMaxTime), socacheMinTime: i.socacheMinTime.Over(o.socacheMinTime),
	}
}

// limit says how long a store of that type keeps an answer: one in memory for CacheSocacheMinTime after it expires, and no
// longer than CacheSocacheMaxTime (httpd: mod_cache_socache.c commit_entity).
func (d *sectionSettings) limit(name string, e *kept.Entry) {
	if name != "socache" {
		return
	}
	after := func(c count, usual int64) time.Duration { return time.Duration(min(c.Or(usual), 1<<32)) * time.Second }
	if e.Until = e.Requested.Add(after(d.socacheMaxTime, 86400)); !e.Expires.After(e.Until) {
		e.Until = e.Expires.Add(after(d.socacheMinTime, 600))
	}
}

// hasRoot reports whether CacheRoot is there.
func (c *serverSettings) hasRoot() bool {
	_, ok := c.root.Get()
	return ok
}

// lifetimes are how long answers hold that do not say so.
func (d *sectionSettings) lifetimes() kept.Lifetimes {
	of := func(c count, usual int64) time.Duration { return time.Duration(c.Or(usual)) * time.Second }
	return kept.Lifetimes{Default: of(d.defaultExpire, 3600), Min: of(d.minExpire, 0), Max: of(d.maxExpire, 86400), Factor: d.factor.Or(0.1)}
}

// target is where a CacheEnable holds: a path's beginning, or a URL (httpd: cache_util.c uri_meets_conditions).
type target struct {
	scheme, host, port string
	path               string
}

// parseTarget cuts a URL in pieces.
func parseTarget(s string) target {
	if strings.HasPrefix(s, "/") {
		return target{path: s}
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok {
		return target{path: s}
	}
	t := target{scheme: scheme, path: "/"}
	rest, ok = strings.CutPrefix(rest, "//")
	if !ok {
		if rest != "" {
			t.path = rest
		}
		return t
	}
	host, path, ok := strings.Cut(rest, "/")
	if ok {
		t.path = "/" + path
	}
	t.host, t.port, _ = strings.Cut(host, ":")
	return t
}

// covers reports whether a request's path, of a request line with a host if that is not "", is among those.
func (t *target) covers(scheme, host, path string) bool {
	name, port, _ := strings.Cut(host, ":")
	switch {
	case t.scheme == "":
		if host != "" {
			return false
		}
	case host == "", !exchange.EqualFold(t.scheme, scheme), !t.names(name), orPort(t.port, t.scheme) != orPort(port, scheme):
		return false
	}
	return strings.HasPrefix(path, t.path)
}

func (t *target) names(host string) bool {
	ends := t.host
	switch {
	case ends == "":
		return true
	case ends[0] == '*':
		ends = ends[1:]
	case ends[0] != '.':
		return exchange.EqualFold(ends, host)
	}
	return len(host) >= len(ends) && exchange.EqualFold(host[len(host)-len(ends):], ends)
}

func orPort(port, scheme string) string {
	switch {
	case port != "":
		return port
	case exchange.EqualFold(scheme, "https"):
		return "443"
	}
	return "80"
}

type setter = func(*directive.Scope, directive.Args) error

// inSection reports whether a scope is a section (httpd: cmd_parms.path).
func inSection(s *directive.Scope) bool { return s.Kind != directive.Main && s.Kind != directive.VHost }

func setEnable(s *directive.Scope, a directive.Args) error {
	if err := a.Forbid(s, directive.Directory|directive.Files|directive.Limit); err != nil {
		return err
	}
	provider := a.Words[0]
	at := s.Arg
	switch {
	case strings.HasPrefix(provider, "/"):
		return errors.New("provider (" + provider + ") starts with a '/'.  Are url and provider switched?")
	case len(a.Words) > 1 && a.Words[1] != "":
		at = a.Words[1]
	case !inSection(s):
		return errors.New("CacheEnable provider (" + provider + ") is missing an URL.")
	}
	if !inSection(s) {
		c := servers.In(s)
		c.enable = append(c.enable, enabled{provider, parseTarget(at)})
		return nil
	}
	if !strings.HasPrefix(at, s.Arg) {
		return errors.New("When in a Location, CacheEnable must specify a path or an URL below that location.")
	}
	d := sections.In(s)
	d.enable = append(d.enable, enabled{provider: provider})
	return nil
}

func setDisable(s *directive.Scope, a directive.Args) error {
	if err := a.Forbid(s, directive.Directory|directive.Files|directive.Limit); err != nil {
		return err
	}
	at := a.Words[0]
	if inSection(s) {
		if !strings.EqualFold(at, "on") {
			return errors.New("CacheDisable must be followed by the word 'on' when in a Location.")
		}
		sections.In(s).disable.Set(true)
		return nil
	}
	if !strings.HasPrefix(at, "/") && !strings.Contains(at, ":") {
		return errors.New("CacheDisable must specify a path or an URL.")
	}
	c := servers.In(s)
	c.disable = append(c.disable, enabled{at: parseTarget(at)})
	return nil
}

// serverFlag is a flag of servers, sectionFlag one of sections.
func serverFlag(of func(*serverSettings) *flag) setter {
	return func(s *directive.Scope, a directive.Args) error {
		of(servers.In(s)).Set(a.On)
		return nil
	}
}

func sectionFlag(of func(*sectionSettings) *flag) setter {
	return func(s *directive.Scope, a directive.Args) error {
		of(sections.In(s)).Set(a.On)
		return nil
	}
}

// setHeader is CacheHeader and CacheDetailHeader: a section's setting is looked at first.
func setHeader(server func(*serverSettings) *flag, section func(*sectionSettings) *flag) setter {
	return func(s *directive.Scope, a directive.Args) error {
		if inSection(s) {
			section(sections.In(s)).Set(a.On)
		} else {
			server(servers.In(s)).Set(a.On)
		}
		return nil
	}
}

// setSeconds takes what C's atol takes.
func setSeconds(of func(*sectionSettings) *count) setter {
	return func(s *directive.Scope, a directive.Args) error {
		of(sections.In(s)).Set(int64(directive.Atoi(a.Words[0])))
		return nil
	}
}

// setBytes takes a number of at least lo and at most hi, as far as digits go.
func setBytes(of func(*sectionSettings) *count, lo, hi int64, message string) setter {
	return func(s *directive.Scope, a directive.Args) error {
		n, _, err := directive.Leading(a.Words[0])
		if err != nil || n < lo || n > hi {
			return errors.New(message)
		}
		if of != nil {
			of(sections.In(s)).Set(n)
		}
		return nil
	}
}

func setFactor(s *directive.Scope, a directive.Args) error {
	var f float64
	if n, err := fmt.Sscanf(a.Words[0], "%g", &f); n != 1 || err != nil {
		return errors.New("CacheLastModifiedFactor value must be a float")
	}
	sections.In(s).factor.Set(f)
	return nil
}

// setList adds words; "None" takes all away and lets none be added any more.
func setList(of func(*serverSettings) *directive.Opt[[]string]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		o := of(servers.In(s))
		list, was := o.Get()
		switch {
		case strings.EqualFold(a.Words[0], "None"):
			o.Set(nil)
		case !was || len(list) > 0:
			o.Set(append(list, a.Words[0]))
		}
		return nil
	}
}

func setLockAge(s *directive.Scope, a directive.Args) error {
	n := directive.Atoi(a.Words[0])
	if n <= 0 {
		return errors.New("CacheLockMaxAge value must be a non-zero positive integer")
	}
	servers.In(s).lockAge.Set(time.Duration(n) * time.Second)
	return nil
}

func setBase(s *directive.Scope, a directive.Args) error {
	u, err := url.Parse(a.Words[0])
	if err != nil {
		return errors.New("Could not parse '" + a.Words[0] + "' as an URL.")
	}
	if u.Scheme == "" && u.Host == "" {
		return errors.New("URL '" + a.Words[0] + "' must contain at least one of a scheme, a hostname or a port.")
	}
	servers.In(s).base.Set(u)
	return nil
}

func setRoot(s *directive.Scope, a directive.Args) error {
	servers.In(s).root.Set(a.Words[0])
	return nil
}

// setLevels and setLength are only checked: how files are spread over folders is ours.
func setLevels(s *directive.Scope, a directive.Args) error {
	c := servers.In(s)
	n := directive.Atoi(a.Words[0])
	if n < 1 {
		return errors.New("CacheDirLevels value must be an integer greater than 0")
	}
	c.levels = n
	return c.spread()
}

func setLength(s *directive.Scope, a directive.Args) error {
	c := servers.In(s)
	n := directive.Atoi(a.Words[0])
	if n < 1 {
		return errors.New("CacheDirLength value must be an integer greater than 0")
	}
	c.length = n
	return c.spread()
}

// spread checks the two, with httpd's defaults (httpd: mod_cache_disk.h).
func (c *serverSettings) spread() error {
	if or(c.levels, 2)*or(c.length, 2) > 20 {
		return errors.New("CacheDirLevels*CacheDirLength value must not be higher than 20")
	}
	return nil
}

func or(n, usual int) int {
	if n == 0 {
		return usual
	}
	return n
}

// socaches are the providers that httpd has modules for; all of them are memory of this process here.
var socaches = []string{"shmcb", "dbm", "memcache", "redis", "dc"}

func setSocache(s *directive.Scope, a directive.Args) error {
	name, args, _ := strings.Cut(a.Words[0], ":")
	if !slices.Contains(socaches, name) || !s.Config.Loaded("mod_socache_"+name+".c") {
		return errors.New("Unknown socache provider '" + name + "'. Maybe you need to load the appropriate socache module (mod_socache_" + name + "?)")
	}
	if name != "shmcb" {
		s.Config.Hint(a, "CacheSocache "+name+": answers are kept in this server's memory, nowhere else")
	}
	servers.In(s).socache.Set(args)
	return nil
}
