package fragment

import (
	"strings"
	"testing"

	"balancerd/apacheconf"
)

// What httpd would miss includes the modules of each kind of member.
func TestModulesThatHTTPDWouldMiss(t *testing.T) {
	for line, want := range map[string]string{
		"ProxyPass /a ajp://t/":                                      "proxy_module, proxy_ajp_module",
		"ProxyPass /a unix:/s|fcgi://t/":                             "proxy_module, proxy_fcgi_module",
		"ProxyPass /a scgi://t/":                                     "proxy_module, proxy_scgi_module",
		"ProxyPass /a uwsgi://t/":                                    "proxy_module, proxy_uwsgi_module",
		`SetHandler "proxy:unix:/run/php-fpm.sock|fcgi://localhost"`: "proxy_module, proxy_fcgi_module",
		"SetHandler server-status":                                   "",
		"ErrorDocument 404 http://elsewhere/":                        "",
	} {
		name, args, _ := strings.Cut(line, " ")
		tree := &apacheconf.Tree{Partial: true, Nodes: []apacheconf.Node{&apacheconf.Directive{Name: name, Args: args}}}
		Complete(tree)
		_, missed, _ := strings.Cut(tree.Notes[0].Text, "authz_core_module")
		missed, _, _ = strings.Cut(missed, ";")
		if got := strings.TrimPrefix(missed, ", "); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
