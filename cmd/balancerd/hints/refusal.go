package hints

import (
	"fmt"
	"slices"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// Refusal is the error of a configuration that closes something which would stand open, because a
// directive has no effect here; nil for none. program is the name that messages begin with.
func Refusal(s *site.Site, program string) error {
	var all, accept []string
	for _, h := range s.Config.Hints {
		if !h.Refuse {
			continue
		}
		all = append(all, fmt.Sprintf("%s: %s on line %d of %s: %s", program, h.Name, h.Pos.Line, h.Pos.File, h.Text))
		if name := "Define " + directive.Without(h.Module); !slices.Contains(accept, name) {
			accept = append(accept, name)
		}
	}
	if all == nil {
		return nil
	}
	return &apacheconf.Fatal{Message: strings.Join(all, "\n") + "\n" + program + ": not started: this configuration would be less strict here than it says\n" +
		"hint: to go on without, and have that known, write " + strings.Join(accept, ", ")}
}

// remoteIP are the directives that say whose address a request has. Where no rule goes by addresses nothing
// opens without them.
var remoteIP = map[string]bool{
	"remoteipheader": true, "remoteiptrustedproxy": true, "remoteiptrustedproxylist": true, "remoteipinternalproxy": true, "remoteipinternalproxylist": true,
}

// Forgive turns refusals that depend on the rest of the configuration into hints.
func Forgive(c *directive.Config) {
	for i := range c.Hints {
		h := &c.Hints[i]
		if h.Refuse && remoteIP[strings.ToLower(h.Name)] && !goesByAddress(c.Tree.Nodes) {
			h.Refuse, h.Effect = false, directive.Behaviour
			h.Text = h.Name + " has no effect here: logs and members see the address of the proxy in front"
		}
	}
}

// goesByAddress reports whether anything in a configuration may depend on a client's address.
func goesByAddress(list []apacheconf.Node) bool {
	return slices.ContainsFunc(list, func(n apacheconf.Node) bool {
		switch n := n.(type) {
		case *apacheconf.Group:
			return goesByAddress(n.Children)
		case *apacheconf.Section:
			return namesAddress(n.Args) || goesByAddress(n.Children)
		case *apacheconf.Directive:
			w, rest := apacheconf.Word(n.Args)
			switch strings.ToLower(n.Name) {
			case "require":
				if strings.EqualFold(w, "not") {
					w, _ = apacheconf.Word(rest)
				}
				return slices.Contains([]string{"ip", "host", "local", "forward-dns"}, strings.ToLower(w)) || namesAddress(n.Args)
			case "allow", "deny":
				w, _ = apacheconf.Word(rest)
				return !strings.EqualFold(w, "all") && !strings.HasPrefix(strings.ToLower(w), "env=")
			case "logformat", "customlog", "errorlogformat":
				return false
			}
			return namesAddress(n.Args)
		}
		return false
	})
}

func namesAddress(text string) bool {
	low := strings.ToLower(text)
	return slices.ContainsFunc([]string{"remote_addr", "remote_host", "ipmatch", "-r '", `-r "`, "%{conn_remote", "useragent_ip"}, func(s string) bool { return strings.Contains(low, s) })
}
