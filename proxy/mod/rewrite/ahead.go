package rewrite

import (
	"os"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// ahead is a variable as it is in a lookup of the present path, LA-U or LA-F.
func ahead(name string, lookUp func(*pass) (*exchange.Exchange, string)) variable {
	inner := variableNamed(name)
	return func(p *pass, x *exchange.Exchange) string {
		if !mayAsk(x) {
			return ""
		}
		y, path := lookUp(p)
		text := ""
		if inner != nil {
			text = strings.Clone(inner(p, y))
		}
		y.Finish()
		if p.traced {
			p.traceDir(5, "lookahead: path=", path, " var=", name, " -> val=", text)
		}
		return text
	}
}

// mayAsk reports whether a lookup from here can come to an end: it is not one of the very path that it was made for
// (httpd: mod_rewrite.c subreq_ok).
func mayAsk(x *exchange.Exchange) bool { return x.Asker == nil || x.Asker.Req.Path != x.Req.Path }

// lookUpURL asks for the path that the rules have come to.
func (p *pass) lookUpURL() (*exchange.Exchange, string) {
	path := p.uri
	if p.perDir && !strings.HasPrefix(path, "/") {
		start := p.dir.prefix
		if base, ok := p.dir.base.Get(); ok {
			start = base
		}
		path = p.x.Arena.Join(start, path)
	}
	return p.askURL(path), path
}

func (p *pass) askURL(path string) *exchange.Exchange {
	y, _ := site.HostOf(p.x).LookUp(p.x, path)
	p.x.Undecided = p.x.Undecided || y.Undecided
	return y
}

// lookUpFile asks for the file that the rules have come to.
func (p *pass) lookUpFile() (*exchange.Exchange, string) {
	path := p.uri
	switch {
	case p.perDir && strings.HasPrefix(path, "/"): // nobody knows which file that is
		return p.askURL(path), path
	case p.perDir:
		path = p.x.Arena.Join(p.dir.prefix, path)
	}
	y, _ := site.HostOf(p.x).LookUpFile(p.x, path)
	return y, path
}

// isURL is -U: a request for the path would come to something that is no error.
func (p *pass) isURL(path string) bool {
	if path == "" || !mayAsk(p.x) {
		return false
	}
	y, status := site.HostOf(p.x).LookUp(p.x, path)
	y.Finish()
	if p.traced {
		p.trace(5, "RewriteCond URI (-U check: path=", path, " -> status=", p.x.Arena.Int(int64(status)))
	}
	return status < 400
}

// isSubFile is -F: a request for the file would be answered, and the file is there.
func (p *pass) isSubFile(name string) bool {
	if name == "" || !mayAsk(p.x) {
		return false
	}
	y, status := site.HostOf(p.x).LookUpFile(p.x, name)
	file := strings.Clone(y.Filename)
	y.Finish()
	if p.traced {
		p.trace(5, "RewriteCond file (-F check: path=", name, " -> file=", file, " status=", p.x.Arena.Int(int64(status)))
	}
	if status >= 300 {
		return false
	}
	p.x.Block()
	_, err := os.Stat(file)
	return err == nil
}
