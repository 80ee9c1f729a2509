package expr

import (
	"strings"

	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
)

// unary is one -x word. Names are exact; of -z and -Z only the one in the table exists.
type unary struct {
	name       string
	restricted bool
	constant   bool // the word must be a subnet, known at load
	f          func(r *run, arg string) bool
}

// unaries are the operators of one letter (httpd: util_expr_eval.c unary_op_providers).
var unaries = [...]unary{
	{"n", false, false, func(_ *run, s string) bool { return s != "" }},
	{"z", false, false, func(_ *run, s string) bool { return s == "" }},
	{"R", false, true, nil},
	{"T", false, false, func(_ *run, s string) bool { return isTrue(s) }},
	{"d", true, false, isDirectory},
	{"e", true, false, exists},
	{"f", true, false, isRegular},
	{"s", true, false, isFilled},
	{"L", true, false, isLink},
	{"h", true, false, isLink},
	{"x", true, false, isExecutable},
	{"F", false, false, fileServed},
	{"U", false, false, urlServed},
	{"A", false, false, urlServed},
}

// binary is one word -name word.
type binary struct {
	name     string
	constant bool // the right word must be a subnet, known at load
	f        func(left, right string) bool
}

// binaries are the operators with a longer name (httpd: util_expr_eval.c binary_op_providers).
var binaries = [...]binary{
	{"ipmatch", true, nil},
	{"fnmatch", false, func(s, p string) bool { return pattern.Shell(p, s, pattern.Pathname) }},
	{"strmatch", false, func(s, p string) bool { return pattern.Shell(p, s, 0) }},
	{"strcmatch", false, func(s, p string) bool { return pattern.Shell(p, s, pattern.Fold) }},
}

// Prober tells what the site would do with another request of the same client: what -U, -A and -F
// ask. It is looked for in the exchange's StateHost.
type Prober interface {
	// Probe is the status that a local path, with a query perhaps, would be answered with before its
	// handler runs: 200 when nothing objects (httpd: request.c ap_sub_req_lookup_uri).
	Probe(x *exchange.Exchange, path string) int
	// ProbeFile is the same for a file, and its full name (httpd: request.c ap_sub_req_lookup_file).
	ProbeFile(x *exchange.Exchange, name string) (file string, status int)
}

func (p *parser) unaryOp(name string, arg word) test {
	if p.failed {
		return truth(false)
	}
	for i := range unaries {
		u := &unaries[i]
		switch {
		case u.name != name:
			continue
		case u.restricted && p.o.Restricted:
			p.name = "-" + name + " not available in restricted context"
			return truth(false)
		case u.constant:
			return &within{net: p.subnet(name, arg), arg: arg}
		}
		return &unaryTest{op: u, arg: arg}
	}
	p.name = "Unary operator '-" + name + "' does not exist"
	return truth(false)
}

func (p *parser) binaryOp(name string, left, right word) test {
	if p.failed {
		return truth(false)
	}
	for i := range binaries {
		b := &binaries[i]
		switch {
		case !exchange.EqualFold(b.name, name):
			continue
		case b.constant:
			return &within{net: p.subnet(name, right), arg: right, of: left}
		}
		return &binaryTest{op: b, left: left, right: right}
	}
	p.name = "Binary operator '-" + name + "' does not exist"
	return truth(false)
}

// subnet is the constant argument of -R and -ipmatch.
func (p *parser) subnet(op string, arg word) Subnet {
	l, ok := arg.(literal)
	if !ok {
		p.name = "-" + op + " requires subnet/netmask as constant argument"
		return Subnet{}
	}
	n, ok := ParseSubnet(string(l))
	if !ok {
		p.name = "parsing of subnet/netmask failed"
	}
	return n
}

type unaryTest struct {
	op  *unary
	arg word
}

func (u *unaryTest) holds(r *run) bool { return u.op.f(r, u.arg.text(r)) }

func (u *unaryTest) print(b *strings.Builder) {
	b.WriteString("-" + u.op.name + " ")
	u.arg.print(b)
}

type binaryTest struct {
	op          *binary
	left, right word
}

func (t *binaryTest) holds(r *run) bool        { return t.op.f(t.left.text(r), t.right.text(r)) }
func (t *binaryTest) print(b *strings.Builder) { printWords(b, t.left, "-"+t.op.name, t.right) }

// within is -R 'net', the client's address, and word -ipmatch 'net'.
type within struct {
	net Subnet
	arg word
	of  word // nil: the client
}

func (w *within) holds(r *run) bool {
	if w.of == nil {
		return w.net.holdsText(r.x, r.x.ClientIP, false)
	}
	return w.net.holdsText(r.x, w.of.text(r), true)
}

func (w *within) print(b *strings.Builder) {
	if w.of == nil {
		b.WriteString("-R ")
		w.arg.print(b)
		return
	}
	printWords(b, w.of, "-ipmatch", w.arg)
}

// isTrue: all but "", off, no, false and 0 (httpd: util_expr_eval.c op_T).
func isTrue(s string) bool {
	return s != "" && s != "0" && !exchange.EqualFold(s, "off") && !exchange.EqualFold(s, "no") && !exchange.EqualFold(s, "false")
}

// urlServed is -U: would the path be served, as far as access rules tell.
func urlServed(r *run, path string) bool {
	p, ok := r.x.State[exchange.StateHost].(Prober)
	return ok && p.Probe(r.x, path) < 400
}

// fileServed is -F: would the file be served, and is it there.
func fileServed(r *run, name string) bool {
	p, ok := r.x.State[exchange.StateHost].(Prober)
	if !ok {
		return false
	}
	file, status := p.ProbeFile(r.x, name)
	return status < 300 && isRegular(r, file)
}
