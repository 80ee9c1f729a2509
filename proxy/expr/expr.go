package expr

import (
	"strconv"
	"strings"
	"sync"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
)

// Options says where an expression stands and what it may use there. The zero value is right for most.
type Options struct {
	File   string // configuration file and line, for the error log; "" when there is none
	Line   int
	Module string // whose log line a failed evaluation is, e.g. "headers"; "" is core

	AccessFile bool // the text stands in a .htaccess file: no functions that read files
	Restricted bool // no functions and operators that look at files (httpd: AP_EXPR_FLAG_RESTRICTED)
	SSLCompat  bool // SSLRequire's rules: == and < compare by length first (httpd: AP_EXPR_FLAG_SSL_EXPR_COMPAT)
	DontVary   bool // asking for a request field adds nothing to Vary (httpd: AP_EXPR_FLAG_DONT_VARY)
	NoTLS      bool // mod_ssl is not loaded: SSL_ variables do not exist
	HC         bool // hc('body') and %{HC_BODY} are the answer's body (ProxyHCExpr); elsewhere they are empty
}

// Expr is a compiled condition. It is immutable and may be used by many goroutines.
type Expr struct {
	program
	root test
}

// String is a compiled text with variables. It is immutable and may be used by many goroutines.
type String struct {
	program
	root word
}

// program is what Expr and String have in common.
type program struct {
	o    Options
	runs sync.Pool // of *run
}

// Compile makes a condition of its text. The error is worded as httpd's, without the directive's
// prefix: "Variable 'X' does not exist", "syntax error, unexpected $end" (httpd: util_expr_eval.c ap_expr_parse).
func Compile(text string, o Options) (*Expr, error) {
	p := newParser(text, o, false)
	root := p.condition()
	if err := p.finish(); err != nil {
		return nil, err
	}
	return &Expr{program: program{o: o}, root: root}, nil
}

// CompileString makes a text with %{VAR}, %{func:arg} and $n of its source. Errors are Compile's.
func CompileString(text string, o ...Options) (*String, error) {
	var opt Options
	if len(o) > 0 {
		opt = o[0]
	}
	p := newParser(text, opt, true)
	root := p.str(inExpression)
	p.end()
	if err := p.finish(); err != nil {
		return nil, err
	}
	return &String{program: program{o: opt}, root: root}, nil
}

// Match reports whether the condition holds for x. The error is what failed while it was evaluated (a
// file that cannot be read); it has then been logged, and the condition counts as not holding.
func (e *Expr) Match(x *exchange.Exchange) (bool, error) { return e.MatchCaptures(x, nil) }

// MatchCaptures is Match that also leaves the groups of the last regular expression in c, for a
// caller that has $1 of its own (httpd: ap_expr_exec_re).
func (e *Expr) MatchCaptures(x *exchange.Exchange, c *Captures) (bool, error) {
	r := e.start(x)
	if c != nil {
		r.groups.Loc = c.Loc[:0]
	}
	ok := e.root.holds(r)
	if c != nil {
		*c = r.groups
		r.groups.Loc = nil
	}
	vary := r.vary
	if err := e.stop(r); err != nil {
		return false, err
	}
	if vary != "" {
		x.AppendTo(&x.Res.Header, "Vary", vary)
	}
	return ok, nil
}

// String prints the condition so that compiling it again gives the same one.
func (e *Expr) String() string {
	var b strings.Builder
	e.root.print(&b)
	return b.String()
}

// Eval is the text for x; it holds until the exchange ends. The error is as Match's.
func (s *String) Eval(x *exchange.Exchange) (string, error) {
	if l, ok := s.root.(literal); ok {
		return string(l), nil
	}
	r := s.start(x)
	text := s.root.text(r)
	if err := s.stop(r); err != nil {
		return "", err
	}
	return text, nil
}

// EvalWith is Eval where $n are the groups that a condition has left (httpd: ap_expr_str_exec_re).
func (s *String) EvalWith(x *exchange.Exchange, c *Captures) (string, error) {
	if l, ok := s.root.(literal); ok {
		return string(l), nil
	}
	r := s.start(x)
	r.groups = *c
	text := s.root.text(r)
	r.groups.Loc = nil
	if err := s.stop(r); err != nil {
		return "", err
	}
	return text, nil
}

// Const is the text when it is the same for every request.
func (s *String) Const() (text string, ok bool) {
	l, ok := s.root.(literal)
	return string(l), ok
}

// String prints the text so that compiling it again gives the same one.
func (s *String) String() string {
	var b strings.Builder
	printString(&b, s.root, "")
	return b.String()
}

// run is one evaluation. It is owned by the goroutine that evaluates.
type run struct {
	x      *exchange.Exchange
	o      *Options
	err    error    // the first thing that failed; nothing after it counts
	vary   string   // request fields that were asked for, ", " in between
	groups Captures // of the last regular expression with groups
}

func (p *program) start(x *exchange.Exchange) *run {
	r, _ := p.runs.Get().(*run)
	if r == nil {
		r = new(run)
	}
	r.x, r.o = x, &p.o
	return r
}

// stop logs what failed, as httpd does, and keeps r for the next evaluation.
func (p *program) stop(r *run) error {
	err := r.err
	if err != nil {
		module := p.o.Module
		if module == "" {
			module = "core"
		}
		r.x.Log(module, exchange.Error, nil, "Evaluation of expression from "+p.o.File+":"+strconv.Itoa(p.o.Line)+" failed: "+err.Error())
	}
	*r = run{groups: Captures{Loc: r.groups.Loc[:0]}}
	poison.Put(&p.runs, r)
	return err
}

func (r *run) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// decided takes a pattern's error: the exchange must not go on as if it had not matched.
func (r *run) decided(err error) {
	if err != nil {
		r.x.Undecided = true
		r.fail(err)
	}
}

// needs notes that the result depends on a request field (httpd: util_expr_eval.c add_vary). Host is
// part of the URI and varies nothing (RFC 7231 section 7.1.4).
func (r *run) needs(field string) {
	switch {
	case r.o.DontVary || exchange.EqualFold(field, "Host"):
	case r.vary == "":
		r.vary = field
	default:
		r.vary = r.x.Arena.Join(r.vary, ", ", field)
	}
}

// Captures are the groups of a regular expression. Owned by who evaluates.
type Captures struct {
	Source string // what was matched
	Loc    []int  // pairs of offsets into Source, -1 for a group that took no part
	Ran    bool   // an expression with groups was tried
	Set    bool   // and it matched: Source and Loc hold
}

// Group is the text of $n, "" when there is none.
func (c *Captures) Group(n int) string {
	if !c.Set || 2*n+1 >= len(c.Loc) || c.Loc[2*n] < 0 {
		return ""
	}
	return c.Source[c.Loc[2*n]:c.Loc[2*n+1]]
}
