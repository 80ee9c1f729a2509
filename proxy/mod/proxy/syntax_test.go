package proxy_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"balancerd/apacheconf"
	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/hcheck"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/mod/proxy/proxytest"
)

// TestSyntax holds what is refused, and with which words, against httpd.
func TestSyntax(t *testing.T) {
	text, err := os.ReadFile("testdata/syntax.txt")
	if err != nil {
		t.Fatal(err)
	}
	ports := map[string]string{ // httpd takes these and uses the rest of a division by 65536
		"ProxyPass / http://h:99999/": "ProxyPass Unable to parse URL: http://h:99999/",
	}
	blocks := strings.Split(strings.TrimRight(string(text), "\n"), "\n\n")
	for conf, message := range ports {
		blocks = append(blocks, conf+"\n=> line 1: "+message)
	}
	for _, block := range blocks {
		conf, want, _ := strings.Cut(block, "\n=> ")
		if got := said(conf); got != "=> "+want {
			t.Errorf("%s\ngot  %s\nwant => %s", conf, got, want)
		}
	}
}

// said is what binding says of a configuration, in the form of syntax.txt.
func said(conf string) string {
	c, err := proxytest.Bind("# 1\n"+conf+"\n", core.Module(), proxy.Module(balancer.NewFarm(method.Builtin(nil), nil), nil), hcheck.Module(balancer.NewFarm(nil, nil), nil, nil))
	if c == nil {
		return err.Error()
	}
	var out []string
	for _, w := range c.Warnings {
		if w.Module == "proxy" {
			out = append(out, "=> warn "+w.Msg)
		}
	}
	var e *apacheconf.Error
	switch {
	case errors.As(err, &e):
		out = append(out, fmt.Sprintf("=> line %d: %s", e.Pos.Line-(proxytest.LinesInFront+1), e.Msg))
	case err != nil:
		out = append(out, err.Error())
	default:
		out = append(out, "=> ok")
	}
	return strings.Join(out, "\n")
}

// Which parameter there is not httpd leaves to the reader, but for ProxySet and <Proxy>.
func TestUnknownParameterIsNamed(t *testing.T) {
	for _, conf := range []string{
		"ProxyPass / http://h/ retyr=5", "ProxyPassMatch ^/(.*) http://h/$1 retyr=5", "ProxyPass / balancer://c/ retyr=5",
		"BalancerMember balancer://c http://h retyr=5", "<Location /x>\nProxyPass http://h/ retyr=5\n</Location>",
		"<Proxy http://h>\nProxySet retyr=5\n</Proxy>", "<Proxy http://h retyr=5>\n</Proxy>",
	} {
		_, err := proxytest.Bind(conf+"\n", core.Module(), proxy.Module(balancer.NewFarm(method.Builtin(nil), nil), nil), hcheck.Module(balancer.NewFarm(nil, nil), nil, nil))
		if err == nil || !strings.Contains(err.Error(), "retyr=5") {
			t.Errorf("%s: %v", conf, err)
		}
	}
}
