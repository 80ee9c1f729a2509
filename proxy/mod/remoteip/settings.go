package remoteip

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// serverSettings is what a server says (httpd: mod_remoteip.c remoteip_config_t).
type serverSettings struct {
	header        string  // "" for none
	proxiesHeader string  // "" for none
	trusted       []proxy // in the order in which they are looked at: as written, whether in a file of their own or not
}

var servers = directive.NewKey("remoteip", mergeServers)

// mergeServers: the inner server's proxies are looked at first.
func mergeServers(outer, inner serverSettings) serverSettings {
	m := inner
	if m.header == "" {
		m.header = outer.header
	}
	if m.proxiesHeader == "" {
		m.proxiesHeader = outer.proxiesHeader
	}
	m.trusted = slices.Concat(inner.trusted, outer.trusted)
	return m
}

func setHeader(s *directive.Scope, a directive.Args) error {
	servers.In(s).header = a.Words[0]
	return nil
}

func setProxiesHeader(s *directive.Scope, a directive.Args) error {
	servers.In(s).proxiesHeader = a.Words[0]
	return nil
}

func addProxy(internal bool) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		list, err := proxiesOf(a.Words[0], internal, a.Name)
		own := servers.In(s)
		own.trusted = append(own.trusted, list...)
		return err
	}
}

// readProxies reads a file of words, "#" begins a comment in front of one (httpd: mod_remoteip.c proxylist_read).
func readProxies(internal bool) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		name := s.Config.Tree.Path(a.Words[0])
		text, err := s.Config.Files.ReadFile(name)
		if errors.Is(err, syscall.EISDIR) { // httpd's own words for what is no regular file
			err = syscall.EBADF
		}
		if err != nil {
			return errors.New(a.Name + ": Could not open file " + name + ": " + reason(err))
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			for _, word := range apacheconf.Words(line) {
				if word == "" || word[0] == '#' {
					break
				}
				list, err := proxiesOf(word, internal, a.Name)
				if err != nil {
					return errors.New(err.Error() + " at line " + strconv.Itoa(n) + " of " + name)
				}
				own := servers.In(s)
				own.trusted = append(own.trusted, list...)
			}
		}
		return nil
	}
}

// reason is the C library's words for why a file can't be read.
func reason(err error) string {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return err.Error()
	}
	return exchange.ErrnoWords(no)
}

// lookUpTime bounds the question for a proxy's name.
const lookUpTime = 10 * time.Second

// unknown is the resolver's words for a name that has no address.
func unknown(err error) string {
	if e := (*net.DNSError)(nil); errors.As(err, &e) && e.IsNotFound && !e.IsTemporary {
		return "Name or service not known"
	}
	return "Temporary failure in name resolution"
}

// lookUp is the addresses of a proxy's name.
func lookUp(name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookUpTime)
	defer cancel()
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}
