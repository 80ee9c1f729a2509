package proxy_test

import (
	"fmt"
	"strings"
	"testing"

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
