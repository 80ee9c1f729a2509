package manager

import (
	"strings"
	"time"

	"balancerd/balancer"
)

// xml is the view as httpd's manager prints it with xml=1, line for line: loadfactor twice, two
// line ends that are missing, and times below a second where httpd prints but their milliseconds
// (httpd: mod_proxy_balancer.c balancer_display_page).
func (p *view) xml() *document {
	d := &document{}
	d.once(func(o *out) {
		o.put("<?xml version='1.0' encoding='UTF-8' ?>\n<httpd:manager xmlns:httpd='http://httpd.apache.org'>\n  <httpd:balancers>\n")
	})
	d.add(each(p.lists, func(o *out, i int) { rowOf(p.lists[i].balancer).xml(o) }, func(o *out, i, j, _ int) {
		m := memberOf(p.lists[i].members[j])
		m.xml(o, p.Threads)
	}, func(o *out, _ int) { o.put("      </httpd:workers>\n    </httpd:balancer>\n") }))
	d.once(func(o *out) { o.put("  </httpd:balancers>\n</httpd:manager>") })
	return d
}

// xml prints a balancer, up to its members.
func (row *balancerRow) xml(o *out) {
	e, s := element{o, "      ", "\n"}, row.settings
	o.put("    <httpd:balancer>\n")
	e.begin("name")
	o.put(balancer.Prefix)
	o.xml(row.Name)
	e.close("name")
	e.text("nonce", row.Nonce)
	if s.Sticky.On() {
		e.text("stickysession", s.Sticky.Cookie)
		e.text("nofailover", onOff(s.NoFailover.V))
	}
	element{o, "      ", ""}.int("timeout", wholeSeconds(s.Timeout))
	if s.MaxAttempts.Set {
		e.int("maxattempts", int64(s.MaxAttempts.V))
	}
	e.text("lbmethod", s.Method.V)
	if s.Sticky.On() {
		e.text("scolonpathdelim", onOff(s.ScolonDelim.V))
	}
	o.put("      <httpd:workers>\n")
}

// xml prints a member; threads is what max= is where it is not set.
func (m *memberRow) xml(o *out, threads int) {
	e, s := element{o, "          ", "\n"}, m.settings
	o.put("        <httpd:worker>\n")
	e.text("name", m.Name)
	e.text("scheme", m.Scheme)
	e.text("hostname", m.Host)
	e.factor(s.LoadFactor)
	e.int("port", int64(m.Port))
	lo, soft, hi := s.Pool(threads)
	e.int("min", int64(lo))
	e.int("smax", int64(soft))
	e.int("max", int64(hi))
	e.int("ttl", wholeSeconds(s.TTL))
	e.time("timeout", s.Timeout, wholeSeconds)
	e.time("acquire", s.Acquire, belowSecond)
	e.number("recv_buffer_size", s.ReceiveBufferSize)
	e.number("io_buffer_size", s.IOBufferSize)
	e.flag("keepalive", s.KeepAlive)
	e.text("status", m.Status)
	if !m.ErrorTime.IsZero() {
		e.text("error_time", m.ErrorTime.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	}
	e.int("retries", int64(m.Retries))
	e.int("lbstatus", m.Load)
	e.factor(s.LoadFactor)
	e.int("transferred", m.Sent)
	e.int("read", m.Received)
	e.begin("elected")
	o.uint(m.Elected)
	e.close("elected")
	e.text("route", s.Route)
	e.text("redirect", s.Redirect)
	e.int("busy", m.Busy)
	e.int("lbset", int64(s.LBSet))
	if m.Scheme == "ajp" {
		m.xmlAJP(e)
	}
	element{o, "      ", "\n"}.flag("disablereuse", s.DisableReuse)
	e.time("connectiontimeout", s.ConnectTimeout, belowSecond)
	e.time("retry", s.Retry, wholeSeconds)
	o.put("        </httpd:worker>\n")
}

func (m *memberRow) xmlAJP(e element) {
	s := m.settings
	e.text("flushpackets", s.FlushPackets.String())
	if s.FlushPackets == balancer.FlushAuto {
		e.int("flushwait", s.FlushWait.Microseconds())
	}
	element{e.o, e.indent, ""}.time("ping", s.Ping, belowSecond)
}

// element writes elements of one depth.
type element struct {
	o           *out
	indent, end string
}

func (e element) begin(name string) { e.o.put(e.indent, "<httpd:", name, ">") }

func (e element) close(name string) { e.o.put("</httpd:", name, ">", e.end) }

func (e element) text(name, value string) {
	e.begin(name)
	e.o.xml(value)
	e.close(name)
}

func (e element) int(name string, n int64) {
	e.begin(name)
	e.o.int(n)
	e.close(name)
}

func (e element) factor(hundredths int) {
	e.begin("loadfactor")
	e.o.factor(hundredths)
	e.close("loadfactor")
}

func (e element) time(name string, d balancer.Opt[time.Duration], unit func(time.Duration) int64) {
	if d.Set {
		e.int(name, unit(d.V))
	}
}

func (e element) flag(name string, on balancer.Opt[bool]) {
	if on.Set {
		e.text(name, onOff(on.V))
	}
}

func (e element) number(name string, n balancer.Opt[int]) {
	if n.Set {
		e.int(name, int64(n.V))
	}
}

func wholeSeconds(d time.Duration) int64 { return int64(d / time.Second) }

// belowSecond is what httpd prints of some times: apr_time_msec, the part below one second.
func belowSecond(d time.Duration) int64 { return int64(d % time.Second / time.Millisecond) }

// xml prints a text escaped as httpd escapes HTML, without what XML cannot hold.
func (o *out) xml(s string) {
	if !simple(s) {
		s = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, "\ufffd"))
	}
	o.text(s)
}

// simple reports whether s is printable ASCII.
func simple(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
