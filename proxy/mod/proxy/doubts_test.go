package proxy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/mod/proxy/proxytest"
)

// doubts are the hints of a configuration: "line: text".
func doubts(t *testing.T, conf string) (list []string) {
	t.Helper()
	c, err := proxytest.Bind(conf, core.Module(), proxy.Module(balancer.NewFarm(method.Builtin(nil), nil), nil))
	if err != nil {
		t.Fatal(conf, err)
	}
	c.Hints = nil
	proxy.Doubt(c, func(string) bool { return true })
	for _, h := range c.Hints {
		list = append(list, fmt.Sprintf("%d: %s", h.Pos.Line-proxytest.LinesInFront, h.Text))
	}
	return list
}

// Members of AJP beyond this machine that no line gives a secret are told, each once.
func TestMembersWithoutSecret(t *testing.T) {
	told := func(line int) string {
		return fmt.Sprintf("%d: an AJP member is given no secret=: whoever reaches its port is believed who its user is; give one here and there, or keep the port closed to others", line)
	}
	for conf, want := range map[string][]string{
		"ProxyPass /a ajp://10.0.0.9/\n": {told(1)},
		"ProxyPass /a AJP://Tomcat.example:9/x\nProxyPass /b ajp://tomcat.example:9/y\n":                                             {told(1)},
		"<Proxy balancer://b>\nBalancerMember ajp://[2001:db8::1]\nBalancerMember ajp://t2\n</Proxy>\n":                              {told(2), told(3)},
		"<Location /a>\nProxyPass ajp://t\n</Location>\n":                                                                            {told(2)},
		"ProxyPassMatch ^/(.*) ajp://t/$1\n":                                                                                         {told(1)},
		"ProxyPass /a ajp://10.0.0.9/ secret=x\n":                                                                                    nil,
		"ProxyPass /a ajp://10.0.0.9/\nProxySet ajp://10.0.0.9/ secret=x\n":                                                          nil,
		"<Proxy balancer://b>\nBalancerMember ajp://t secret=x\n</Proxy>\nProxyPass / ajp://t/\n":                                    {told(2)},
		"ProxyPass /a ajp://127.0.0.1/\nProxyPass /b ajp://[::1]/\nProxyPass /c ajp://LocalHost:9/\nProxyPass /d ajp://127.9.9.9/\n": nil,
		"ProxyPass /a unix:/x|ajp://t/\nProxyPass /b http://t/\n":                                                                    nil,
	} {
		if got := doubts(t, conf); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q, want %q", conf, got, want)
		}
	}
}

// A PROXY header that another proxy would get is told.
func TestHeadersByProxyRemote(t *testing.T) {
	const remote = "ProxyRemote * http://r:1\n"
	const ours = "<IfModule mod_balancerd.c>\nProxyPass /a http://m/ proxyprotocol=v1\n</IfModule>\n"
	if got := fmt.Sprint(doubts(t, remote+ours)); got != "[3: by ProxyRemote no PROXY header goes to http and ws members: it is the other proxy that connects to them]" {
		t.Error(got)
	}
	for _, conf := range []string{ours, remote + strings.Replace(ours, "=v1", "=Off", 1)} {
		if got := doubts(t, conf); got != nil {
			t.Errorf("%s%v", conf, got)
		}
	}
}

// A path that ends in a slash and a URL that has none, and members of TLS without SSLProxyEngine, fail at the request.
func TestWhatFailsAtTheRequest(t *testing.T) {
	const tls = "members need SSLProxyEngine On: their requests get 500"
	for conf, want := range map[string]string{
		"ProxyPass /a/ http://h:1\n":                              "1: /a/page would go to http://h:1page: the URL needs a slash at its end, since the path has one",
		"<Location /a/>\nProxyPass balancer://x\n</Location>\n":   "2: /a/page would go to balancer://xpage: the URL needs a slash at its end, since the path has one",
		"ProxyPass /b/ !\nProxyPass / http://h\n":                 "2: /page would go to http://hpage: the URL needs a slash at its end, since the path has one",
		"ProxyPass /a http://h\nProxyPass /b/ http://h/x\n":       "",
		"ProxyPassMatch ^/a/ http://h\nProxyPass /c/ http://h/\n": "",
		"ProxyPass /a https://h/\n":                               "1: https:// " + tls,
		"ProxyPass /a unix:/s|wss://h/\n":                         "1: wss:// " + tls,
		"<Location /a>\nSetHandler proxy:h2://h\n</Location>\n":   "2: h2:// " + tls,
		"<Proxy https://h/>\nProxySet timeout=4\n</Proxy>\n":      "",
	} {
		c, err := proxytest.Bind(conf, core.Module(), proxy.Module(balancer.NewFarm(method.Builtin(nil), nil), nil))
		if err != nil {
			t.Fatal(conf, err)
		}
		proxy.Doubt(c, func(string) bool { return true })
		var got []string
		for _, h := range c.Hints {
			if h.Effect == directive.Later && h.Name != "BalancerMember" {
				got = append(got, fmt.Sprintf("%d: %s", h.Pos.Line-proxytest.LinesInFront, h.Text))
			}
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: %q, want %q", conf, got, want)
		}
	}
}

// What was probably meant by a parameter that is refused is told.
func TestHelpForParameters(t *testing.T) {
	const member = "<Proxy balancer://x>\nBalancerMember http://h "
	for conf, want := range map[string]string{
		member + "hcpass=2\n</Proxy>\n":                                   "there is no parameter hcpass=, as in hcpass=2; did you mean hcpasses=?",
		member + "hcheck=on\n</Proxy>\n":                                  "there is no parameter hcheck=, as in hcheck=on",
		member + "stickysession=S\n</Proxy>\n":                            "stickysession= is a balancer's parameter: by ProxySet in its <Proxy> section, or on a line of ProxyPass to balancer://",
		member + "# the first\n</Proxy>\n":                                "a # behind a directive begins no comment: comments need lines of their own",
		"<Proxy balancer://x>\nProxySet retry=5\n</Proxy>\n":              "retry= is a member's parameter: it stands on the lines of BalancerMember",
		"<Proxy balancer://x>\nProxySet lvmetod=byrequests\n</Proxy>\n":   "there is no parameter lvmetod=, as in lvmetod=byrequests; did you mean lbmethod=?",
		"<Proxy balancer://x>\nProxySet lbmethod=byleastconn\n</Proxy>\n": "the methods that are loaded: byrequests",
		"<Proxy balancer://x>\nProxySet lbmethod=heartbeat\n</Proxy>\n":   "heartbeat belongs to mod_lbmethod_heartbeat.c: LoadModule lbmethod_heartbeat_module modules/mod_lbmethod_heartbeat.so",
		"<Proxy http://h>\nProxySet timeot=5\n</Proxy>\n":                 "there is no parameter timeot=, as in timeot=5; did you mean timeout=?",
		"ProxyPass /a balancer://x hcmethod=GET\n":                        "hcmethod= is a member's parameter: it stands on the lines of BalancerMember",
		"ProxyPass /a http://h/ hcmethod=GET\n":                           "hcmethod= belongs to mod_proxy_hcheck.c: LoadModule proxy_hcheck_module modules/mod_proxy_hcheck.so",
		"ProxyPass /a http://h/ timeout=x\n":                              "",
	} {
		const loaded = "LoadModule mpm_event_module x\nLoadModule proxy_module x\nLoadModule proxy_balancer_module x\nLoadModule lbmethod_byrequests_module x\n"
		hcheck := "LoadModule proxy_hcheck_module x\n"
		if strings.HasPrefix(want, "hcmethod= belongs") {
			hcheck = ""
		}
		tree, err := apacheconf.ParseText("test.conf", loaded+hcheck+conf, apacheconf.Options{ServerRoot: "/", Modules: directive.Catalog{}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = directive.Bind(tree, directive.Options{}, directive.Module{Name: "mod_core.c", Table: core.Module().Table},
			directive.Module{Name: "mod_proxy.c", Table: proxy.Module(balancer.NewFarm(method.Builtin(nil), nil), nil).Table})
		var e *apacheconf.Error
		if !errors.As(err, &e) || !strings.HasPrefix(e.Hint, want) || want == "" && e.Hint != "" {
			t.Errorf("%s: %v, want %q", conf, err, want)
		}
	}
}

// A virtual host that does not inherit BalancerPersist is told.
func TestPersistIsNotInherited(t *testing.T) {
	const host, told = "<VirtualHost *:80>\n%s</VirtualHost>\n", "[1: BalancerPersist On here is the main server's alone: a virtual host needs a line of its own]"
	for conf, want := range map[string]string{
		"BalancerPersist On\n" + fmt.Sprintf(host, ""):                      told,
		"BalancerPersist On\n" + fmt.Sprintf(host, "BalancerPersist On\n"):  "[]",
		"BalancerPersist Off\n" + fmt.Sprintf(host, "BalancerPersist On\n"): "[]",
		"BalancerPersist On\n": "[]",
	} {
		if got := fmt.Sprint(doubts(t, conf)); got != want {
			t.Errorf("%s: %s", conf, got)
		}
	}
}

// A line whose path an earlier one takes is told.
func TestLinesThatAreNeverReached(t *testing.T) {
	told := func(line int, path, first string, at int) string {
		return fmt.Sprintf("%d: ProxyPass %s is never reached: ProxyPass %s on line %d comes first, and the first that fits counts", line, path, first, at+proxytest.LinesInFront)
	}
	for conf, want := range map[string][]string{
		"ProxyPass / http://h/\nProxyPass /api http://h/\nProxyPass /m !\n":                        {told(2, "/api", "/", 1), told(3, "/m", "/", 1)},
		"ProxyPass /a http://h/\nProxyPass /a/b/c/ http://h/\nProxyPass /a http://h/\n":            {told(2, "/a/b/c/", "/a", 1), told(3, "/a", "/a", 1)},
		"ProxyPass /a/ http://h/\nProxyPass /a http://h/\nProxyPass /a/ http://h/\n":               {told(3, "/a/", "/a/", 1)},
		"ProxyPass /a !\nProxyPass /ab http://h/\nProxyPass / http://h/\n":                         nil,
		"ProxyPassMatch ^/ http://h/\nProxyPass /a http://h/\n":                                    nil,
		"ProxyPass / http://h/\n<VirtualHost *:80>\nProxyPass /a http://h/\n</VirtualHost>\n":      nil,
		"ProxyPass / http://h/\n<Location /a>\nProxyPass http://h/\n</Location>\n":                 nil,
		"ProxyPass / http://h/\nProxyPass /a http://h/ mapping=encoded\nProxyPass rel http://h/\n": nil,
	} {
		if got := doubts(t, conf); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q, want %q", conf, got, want)
		}
	}
}
