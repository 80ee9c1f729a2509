package proxy

import (
	"context"
	"encoding/base64"
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/upstream"
)

// ways is what ProxyRemote, ProxyRemoteMatch and NoProxy say; nil for nothing.
func (s *serverSettings) ways() *upstream.Remotes {
	if len(s.remotes) == 0 {
		return nil
	}
	return &upstream.Remotes{List: s.remotes, Direct: s.direct}
}

func setRemote(s *directive.Scope, a directive.Args) error {
	r, err := newRemote("ProxyRemote", a)
	if err != nil {
		return err
	}
	c := servers.In(s)
	c.remotes = append(c.remotes, upstream.RemoteFor{Match: a.Words[0], Remote: r})
	return nil
}

func setRemoteMatch(s *directive.Scope, a directive.Args) error {
	r, err := newRemote("ProxyRemoteMatch", a)
	if err != nil {
		return err
	}
	re, err := pattern.Compile(a.Words[0], pattern.Options{})
	if err != nil {
		return errors.New("Regular expression for ProxyRemoteMatch could not be compiled.")
	}
	c := servers.In(s)
	c.remotes = append(c.remotes, upstream.RemoteFor{Pattern: re, Remote: r})
	return nil
}

// newRemote reads a remote proxy's URL, with httpd's messages (httpd: mod_proxy.c add_proxy).
func newRemote(name string, a directive.Args) (*backend.Remote, error) {
	scheme, rest, ok := strings.Cut(a.Words[1], "://")
	if !ok || rest == "" {
		return nil, errors.New(name + ": Bad syntax for a remote proxy server")
	}
	r := &backend.Remote{Host: rest, Port: balancer.PortOf(strings.ToLower(scheme))}
	if i := strings.IndexByte(rest[strings.IndexByte(rest, ']')+1:], ':'); i >= 0 { // the first, but for those of an IPv6 address
		i += strings.IndexByte(rest, ']') + 1
		port := rest[i+1:]
		n := directive.Atoi(port)
		if port == "" || port[0] < '0' || '9' < port[0] || n > 65535 {
			return nil, errors.New(name + ": Bad syntax for a remote proxy server (bad port number)")
		}
		r.Host, r.Port = rest[:i], uint16(n)
	}
	r.Host = strings.ToLower(strings.Trim(r.Host, "[]/"))
	if scheme = strings.ToLower(scheme); scheme == "https" {
		return nil, errors.New(name + ": a remote proxy is spoken to in clear text; https:// would promise more")
	}
	if len(a.Words) > 2 {
		r.Authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(a.Words[2]))
	}
	return r, nil
}

// setDirect is NoProxy: addresses, a domain, a host's name, or a part of one (httpd: mod_proxy.c set_proxy_dirconn).
func setDirect(s *directive.Scope, a directive.Args) error {
	c := servers.In(s)
	word := a.Words[0]
	net, is := addressWord(s, a, word)
	switch {
	case is:
		c.direct = append(c.direct, upstream.DirectHost{Net: net})
	case isDomain(word):
		if word = strings.TrimRight(word, "."); word == "" {
			word = upstream.EveryHost
		}
		c.direct = append(c.direct, upstream.DirectHost{Domain: word})
	default:
		ctx, cancel := context.WithTimeout(context.Background(), lookupAtLoad)
		defer cancel()
		host := upstream.DirectHost{Part: word}
		if len(upstream.AddressesOf(ctx, word)) > 0 {
			host = upstream.DirectHost{Name: strings.TrimRight(word, ".")}
		}
		c.direct = append(c.direct, host)
	}
	return nil
}

// isDomain reports whether a word is ".example.com" (httpd: proxy_util.c ap_proxy_is_domainname).
func isDomain(word string) bool {
	if word == "" || word[0] != '.' {
		return false
	}
	for i := range len(word) {
		switch c := word[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-':
		default:
			return false
		}
	}
	return true
}

// addressWord reads an IPv4 address of one to four numbers, with or without the bits of its net (httpd: proxy_util.c
// ap_proxy_is_ipaddr). What is guessed is told.
func addressWord(s *directive.Scope, a directive.Args, word string) (netip.Prefix, bool) {
	text, mask, masked := strings.Cut(word, "/")
	if strings.Count(text, ".") < 4 {
		text = strings.TrimSuffix(text, ".")
	}
	var quads [4]byte
	n := 0
	for part := range strings.SplitSeq(text, ".") {
		q, err := strconv.ParseUint(part, 0, 8)
		if err != nil || n == 4 {
			return netip.Prefix{}, false
		}
		quads[n] = byte(q)
		n++
	}
	addr := netip.AddrFrom4(quads)
	bits, err := strconv.Atoi(mask)
	switch {
	case masked && (err != nil || bits < 0 || bits > 32):
		return netip.Prefix{}, false
	case !masked:
		for n > 0 && quads[n-1] == 0 {
			n--
		}
		if bits = 8 * n; n == 0 {
			return netip.Prefix{}, false
		}
		if bits != 32 {
			s.Config.Warn(a.Pos, "proxy", "AH00900: Warning: NetMask not supplied with IP-Addr; guessing: "+addr.String()+"/"+strconv.Itoa(bits))
		}
	}
	net := netip.PrefixFrom(addr, bits)
	if net.Masked() != net {
		s.Config.Warn(a.Pos, "proxy", "AH00901: Warning: NetMask and IP-Addr disagree in "+net.String())
		net = net.Masked()
		s.Config.Warn(a.Pos, "proxy", "AH00902:          Set to "+net.String())
	}
	return net, true
}

func setDomain(s *directive.Scope, a directive.Args) error {
	if !strings.HasPrefix(a.Words[0], ".") {
		return errors.New("ProxyDomain: domain name must start with a dot.")
	}
	servers.In(s).domain.Set(a.Words[0])
	return nil
}
