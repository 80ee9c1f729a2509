package manager

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
	"time"

	"balancerd/balancer"
)

// writeXML prints the view as httpd's manager does with xml=1, line for line: loadfactor twice, two
// line ends that are missing, and times below a second where httpd prints but their milliseconds
// (httpd: mod_proxy_balancer.c balancer_display_page).
func writeXML(b *bytes.Buffer, p *view) {
	b.WriteString("<?xml version='1.0' encoding='UTF-8' ?>\n<httpd:manager xmlns:httpd='http://httpd.apache.org'>\n  <httpd:balancers>\n")
	for _, row := range p.Balancers {
		row.xml(b)
	}
	b.WriteString("  </httpd:balancers>\n</httpd:manager>")
}

func (row *balancerRow) xml(b *bytes.Buffer) {
	e := element{b, "      ", "\n"}
	b.WriteString("    <httpd:balancer>\n")
	e.put("name", balancer.Prefix+row.Name)
	e.put("nonce", row.Nonce)
	if row.StickyCookie != "" {
		e.put("stickysession", row.StickyCookie)
		e.put("nofailover", onOff(row.NoFailover))
	}
	element{b, "      ", ""}.put("timeout", row.Timeout)
	if row.AttemptsSet {
		e.put("maxattempts", row.MaxAttempts)
	}
	e.put("lbmethod", row.Method)
	if row.StickyCookie != "" {
		e.put("scolonpathdelim", onOff(row.ScolonDelim))
	}
	b.WriteString("      <httpd:workers>\n")
	for _, m := range row.Members {
		m.xml(b)
	}
	b.WriteString("      </httpd:workers>\n    </httpd:balancer>\n")
}

func (m *memberRow) xml(b *bytes.Buffer) {
	e, s := element{b, "          ", "\n"}, &m.settings
	b.WriteString("        <httpd:worker>\n")
	e.put("name", m.Name)
	e.put("scheme", m.Scheme)
	e.put("hostname", m.Host)
	e.put("loadfactor", m.Factor)
	e.put("port", m.Port)
	e.put("min", m.pool[0])
	e.put("smax", m.pool[1])
	e.put("max", m.pool[2])
	e.put("ttl", wholeSeconds(s.TTL))
	e.time("timeout", s.Timeout, wholeSeconds)
	e.time("acquire", s.Acquire, belowSecond)
	putOpt(e, "recv_buffer_size", s.ReceiveBufferSize)
	putOpt(e, "io_buffer_size", s.IOBufferSize)
	e.flag("keepalive", s.KeepAlive)
	e.put("status", m.Status)
	if !m.ErrorTime.IsZero() {
		e.put("error_time", m.ErrorTime.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	}
	e.put("retries", m.Retries)
	e.put("lbstatus", m.Load)
	e.put("loadfactor", m.Factor)
	e.put("transferred", m.Sent)
	e.put("read", m.Received)
	e.put("elected", m.Elected)
	e.put("route", m.Route)
	e.put("redirect", m.Redirect)
	e.put("busy", m.Busy)
	e.put("lbset", m.Set)
	if m.Scheme == "ajp" {
		m.xmlAJP(b, e)
	}
	element{b, "      ", "\n"}.flag("disablereuse", s.DisableReuse)
	e.time("connectiontimeout", s.ConnectTimeout, belowSecond)
	e.time("retry", s.Retry, wholeSeconds)
	b.WriteString("        </httpd:worker>\n")
}

func (m *memberRow) xmlAJP(b *bytes.Buffer, e element) {
	s := &m.settings
	e.put("flushpackets", s.FlushPackets)
	if s.FlushPackets == balancer.FlushAuto {
		e.put("flushwait", s.FlushWait.Microseconds())
	}
	element{b, e.indent, ""}.time("ping", s.Ping, belowSecond)
}

// element writes elements of one depth.
type element struct {
	b           *bytes.Buffer
	indent, end string
}

func (e element) put(name string, value any) {
	fmt.Fprintf(e.b, "%s<httpd:%s>%s</httpd:%s>%s", e.indent, name, xmlText(fmt.Sprint(value)), name, e.end)
}

func (e element) time(name string, d balancer.Opt[time.Duration], unit func(time.Duration) int64) {
	if d.Set {
		e.put(name, unit(d.V))
	}
}

func (e element) flag(name string, on balancer.Opt[bool]) {
	if on.Set {
		e.put(name, onOff(on.V))
	}
}

func putOpt[T any](e element, name string, v balancer.Opt[T]) {
	if v.Set {
		e.put(name, v.V)
	}
}

func wholeSeconds(d time.Duration) int64 { return int64(d / time.Second) }

// belowSecond is what httpd prints of some times: apr_time_msec, the part below one second.
func belowSecond(d time.Duration) int64 { return int64(d % time.Second / time.Millisecond) }

// xmlText escapes as httpd escapes HTML, and leaves out what XML cannot hold.
func xmlText(s string) template.HTML {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	return htmlText(s)
}
