package manager

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"balancerd/balancer"
)

// json is the view for programs, a line for each balancer and each member:
//
//	{"server": "lb.test", "version": "Apache/2.4.71 (Debian)", "built": "…", "persisted": false, "balancers": [
//	   {"name": "app", "id": "p59bfe437_app", "nonce": "…", "path": "/app/", "active": true,
//	    "max_members": 8, "used_members": 4,
//	    "settings": {"lbmethod": "byrequests", "timeout": "2", …},
//	    "members": [
//	      {"name": "http://10.0.0.1:8080", "url": "http://10.0.0.1:8080", "scheme": "http", "host": "10.0.0.1", "port": 8080,
//	       "status": ["Init", "Ok"], "usable": true, "elected": 7, "busy": 0, "load": 0,
//	       "bytes_sent": 1351, "bytes_received": 21105, "retries": 0, "error_time": "2026-11-21T05:08:59Z",
//	       "checks_passed": 0, "checks_failed": 0,
//	       "settings": {"loadfactor": "2.00", "route": "n1", "retry": "5", …}}]}]}
//
// settings are texts, by the names and in the form of the configuration, and only those that are
// set; error_time is left out when there was no error. Members added in later versions are at no
// fixed place: read by name.
func (p *view) json() *document {
	d := &document{}
	d.once(func(o *out) {
		j := object{o}
		o.put("{")
		j.text("server", p.Server)
		j.text("version", p.Version)
		j.text("built", p.Built)
		j.flag("persisted", p.Persisted)
		j.name("balancers")
		o.put("[")
	})
	d.add(each(p.lists, func(o *out, i int) {
		o.put(comma(i), "\n  {")
		rowOf(p.lists[i].balancer).json(o)
	}, func(o *out, i, j, _ int) {
		o.put(comma(j), "\n    {")
		m := memberOf(p.lists[i].members[j])
		m.json(o)
		o.put("}")
	}, func(o *out, i int) { o.put(ifAny(len(p.lists[i].members), "\n  "), "]}") }))
	d.once(func(o *out) { o.put(ifAny(len(p.lists), "\n"), "]}\n") })
	return d
}

// The parameters in the order of their names, in which programs have always got them.
var (
	balancerParams = byName(balancer.BalancerParams)
	workerParams   = byName(balancer.WorkerParams)
)

func byName[S any](t balancer.Table[S]) balancer.Table[S] {
	return slices.SortedFunc(slices.Values(t), func(a, b balancer.Param[S]) int { return strings.Compare(a.Name, b.Name) })
}

// json prints the fields of a balancer, up to its members.
func (row *balancerRow) json(o *out) {
	j := object{o}
	j.text("name", row.Name)
	j.text("id", row.ID)
	j.text("nonce", row.Nonce)
	j.text("path", row.Path)
	j.flag("active", true)
	j.int("max_members", int64(row.MaxMembers))
	j.int("used_members", int64(row.Used))
	printSettings(j, balancerParams, row.settings, "nonce")
	j.name("members")
	o.put("[")
}

// json prints the fields of a member.
func (m *memberRow) json(o *out) {
	j := object{o}
	j.text("name", m.Name)
	j.text("url", m.URL)
	j.text("scheme", m.Scheme)
	j.text("host", m.Host)
	j.int("port", int64(m.Port))
	j.words("status", m.Status)
	j.flag("usable", m.state.Usable())
	j.name("elected")
	o.uint(m.Elected)
	j.int("busy", m.Busy)
	j.int("load", m.Load)
	j.int("bytes_sent", m.Sent)
	j.int("bytes_received", m.Received)
	j.int("retries", int64(m.Retries))
	if !m.ErrorTime.IsZero() {
		j.text("error_time", m.ErrorTime.Format(time.RFC3339Nano))
	}
	j.int("checks_passed", int64(m.Passed))
	j.int("checks_failed", int64(m.Failed))
	printSettings(j, workerParams, m.settings, "")
}

// printSettings prints the parameters that are set, but not the one called without.
func printSettings[S any](j object, t balancer.Table[S], s *S, without string) {
	j.name("settings")
	j.o.put("{")
	for name, value := range t.Pairs(s) {
		if name != without {
			j.text(name, value)
		}
	}
	j.o.put("}")
}

// object prints the members of an object, in a row.
type object struct{ o *out }

// name begins a member.
func (j object) name(name string) {
	if j.o.b[len(j.o.b)-1] != '{' {
		j.o.put(", ")
	}
	j.o.put(`"`, name, `": `)
}

func (j object) text(name, value string) {
	j.name(name)
	j.o.quoted(value)
}

func (j object) int(name string, n int64) {
	j.name(name)
	j.o.int(n)
}

func (j object) flag(name string, on bool) {
	j.name(name)
	j.o.b = strconv.AppendBool(j.o.b, on)
}

// words prints a text's words as an array.
func (j object) words(name, text string) {
	j.name(name)
	j.o.put("[")
	n := 0
	for w := range strings.FieldsSeq(text) {
		j.o.put(ifAny(n, ", "))
		j.o.quoted(w)
		n++
	}
	j.o.put("]")
}

// comma is what stands before element i of an array.
func comma(i int) string { return ifAny(i, ",") }

func ifAny(n int, s string) string {
	if n == 0 {
		return ""
	}
	return s
}

// quoted prints s in quotes.
func (o *out) quoted(s string) {
	if simple(s) && strings.IndexByte(s, '"') < 0 && strings.IndexByte(s, '\\') < 0 {
		o.put(`"`, s, `"`)
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) // a text can't fail
	o.put(strings.TrimSuffix(b.String(), "\n"))
}
