package main

import "strings"

// checkedMembers is a balancer whose members begin as failed ones, or as good ones, and are to end as the opposite, by
// health checks. To be followed by judged.
func checkedMembers(name string, good, bad []string) string {
	text := "LoadModule proxy_hcheck_module x\nLogLevel warn proxy_hcheck:info\n<Proxy balancer://" + name + ">\n"
	for _, m := range good {
		text += "BalancerMember " + m + " status=+C hcinterval=100ms\n"
	}
	for _, m := range bad {
		text += "BalancerMember " + m + " hcinterval=100ms\n"
	}
	return text + "</Proxy>\n"
}

// judged waits until checks have let the good members in, and taken the bad ones out.
func (p *instance) judged(good, bad []string) {
	p.t.Helper()
	said := func(word, member string) bool {
		url := strings.Fields(member)[0]
		return strings.Contains(p.read("error.log"), "Health check "+word+" "+url[strings.IndexByte(url, '|')+1:])
	}
	for word, list := range map[string][]string{"ENABLING": good, "DISABLING": bad} {
		for _, m := range list {
			p.until(word+" "+m, func() bool { return said(word, m) })
		}
	}
	for _, m := range good {
		if said("DISABLING", m) {
			p.t.Errorf("%s failed once", m)
		}
	}
}
