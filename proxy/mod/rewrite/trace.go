package rewrite

import (
	"hash/fnv"
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
)

// trace writes a line of LogLevel rewrite:trace1 to trace8, numbered 1 to 8, in httpd's words. Callers look at p.traced
// first: making the text costs something.
func (p *pass) trace(level int, text ...string) { traceOf(p.x, "", level, text...) }

// traceDir is trace that names the section, where rules of one run.
func (p *pass) traceDir(level int, text ...string) {
	if p.perDir {
		p.dir.trace(p.x, level, text...)
	} else {
		p.trace(level, text...)
	}
}

// trace names the section, where there is no pass yet.
func (s *section) trace(x *exchange.Exchange, level int, text ...string) {
	traceOf(x, "[perdir "+s.prefix+"] ", level, text...)
}

// traceOf puts who asked, and which request it is, in front (httpd: mod_rewrite.c do_rewritelog).
func traceOf(x *exchange.Exchange, section string, level int, text ...string) {
	at := exchange.Trace1 + exchange.Level(level) - 1
	if !x.Enabled("rewrite", at) {
		return
	}
	user, kind, redirects := "-", "initial", ""
	if x.User != "" {
		user = x.User
	}
	if x.Depth > 0 {
		kind = "subreq"
	}
	if n := redirectsOf(x); n > 0 {
		redirects = "/redir#" + strconv.Itoa(n)
	}
	x.Log("rewrite", at, nil, x.ClientIP+" - "+user+" ["+nameForURL(x)+"/sid#"+serverMark(x.Server)+"][rid#"+requestMark(x)+"/"+kind+redirects+"] "+
		section+strings.Join(text, ""))
}

// serverMark and requestMark tell servers and requests apart; httpd prints where in memory they are.
func serverMark(s *exchange.Server) string {
	h := fnv.New32a()
	h.Write([]byte(s.ID))
	return strconv.FormatUint(uint64(h.Sum32()), 16)
}

func requestMark(x *exchange.Exchange) string {
	return strconv.FormatUint(x.Conn.ID<<16|uint64(x.Conn.Kept+x.Req.Stream)&0xffff, 16)
}
