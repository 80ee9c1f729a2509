package rewrite

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// cond is one RewriteCond. Immutable once it is read.
type cond struct {
	input   *template // nil with an expression
	raw     string    // the pattern as written, for traces
	text    string    // of it, what is compared
	test    test
	pattern *pattern.Pattern
	expr    *expr.Expr
	number  int // of a comparison of numbers
	pos     apacheconf.Pos
	not     bool
	fold    bool
	orNext  bool
	noVary  bool
}

// test is what a condition does with its text.
type test uint8

const (
	matches test = iota // a regular expression
	isExpression
	isFile
	isFilled
	isLink
	isFolder
	isExecutable
	isURL
	isSubFile
	less
	lessOrEqual
	equal
	greater
	greaterOrEqual
	numLess
	numLessOrEqual
	numEqual
	numGreater
	numGreaterOrEqual
)

var fileTests = map[byte]test{'f': isFile, 's': isFilled, 'd': isFolder, 'x': isExecutable, 'h': isLink, 'L': isLink, 'l': isLink, 'U': isURL, 'F': isSubFile}

var numberTests = map[string]test{"lt": numLess, "le": numLessOrEqual, "gt": numGreater, "ge": numGreaterOrEqual, "eq": numEqual, "ne": numEqual}

func setCond(s *directive.Scope, a directive.Args) error {
	c, err := newCond(s, a)
	if err != nil {
		return errors.New("RewriteCond: " + err.Error())
	}
	if isServer(s) {
		list := &server(s).waiting
		*list = append(*list, c)
	} else {
		list := &dir(s).waiting
		*list = append(*list, c)
	}
	mark(s)
	return nil
}

// newCond reads a line (httpd: mod_rewrite.c cmd_rewritecond).
func newCond(s *directive.Scope, a directive.Args) (*cond, error) {
	words, ok := split(a.Raw)
	if !ok {
		return nil, errors.New("bad argument line '" + a.Raw + "'")
	}
	c := &cond{raw: words.second, text: words.second, pos: a.Pos}
	if words.hasThird {
		if err := eachFlag(words.third, c.setFlag); err != nil {
			return nil, err
		}
	}
	c.text, c.not = strings.CutPrefix(c.text, "!")
	if strings.EqualFold(words.first, "expr") {
		c.test = isExpression
	} else {
		c.input = parseTemplate(words.first)
		c.findTest()
	}
	if c.fold && c.test != matches && (c.test < less || c.test > greaterOrEqual) {
		s.Config.Warn(a.Pos, "rewrite", "AH00665: RewriteCond: NoCase option for non-regex pattern '"+c.text+"' is not supported and will be ignored. ("+
			a.Pos.File+":"+strconv.Itoa(a.Pos.Line)+")")
		c.fold = false
	}
	return c, c.compile(s, a)
}

func (c *cond) setFlag(name, _ string) error {
	switch strings.ToLower(name) {
	case "nc", "nocase":
		c.fold = true
	case "or", "ornext":
		c.orNext = true
	case "nv", "novary":
		c.noVary = true
	default:
		return unknownFlag(name)
	}
	return nil
}

// findTest finds out what kind of test the pattern is; what stands behind its operator is the text.
func (c *cond) findTest() {
	p := c.text
	switch {
	case len(p) < 2:
	case p[0] == '-' && len(p) == 2:
		c.test = fileTests[p[1]]
	case p[0] == '-' && len(p) > 3:
		if t, ok := numberTests[p[1:3]]; ok {
			c.test, c.text = t, p[3:]
			c.not = c.not != (p[1:3] == "ne")
		}
	default:
		c.findComparison(p)
	}
}

func (c *cond) findComparison(p string) {
	switch {
	case p[0] == '>' && p[1] == '=':
		c.test, c.text = greaterOrEqual, p[2:]
	case p[0] == '>':
		c.test, c.text = greater, p[1:]
	case p[0] == '<' && p[1] == '=':
		c.test, c.text = lessOrEqual, p[2:]
	case p[0] == '<':
		c.test, c.text = less, p[1:]
	case p == `=""`:
		c.test, c.text = equal, ""
	case p[0] == '=':
		c.test, c.text = equal, p[1:]
	}
}

// compile makes of the text what the test needs.
func (c *cond) compile(s *directive.Scope, a directive.Args) (err error) {
	switch {
	case c.test == matches:
		if c.pattern, err = pattern.Compile(c.text, pattern.Options{Fold: c.fold}); err != nil {
			return errors.New("cannot compile regular expression '" + c.text + "'")
		}
	case c.test == isExpression:
		o := site.ExprOptions(s, "rewrite")
		o.File, o.Line, o.DontVary = a.Pos.File, a.Pos.Line, c.noVary
		where := ""
		if o.AccessFile {
			where = "in htaccess context "
		}
		if c.expr, err = expr.Compile(c.text, o); err != nil {
			return errors.New("cannot compile expression " + where + "\"" + c.text + "\" " + err.Error())
		}
	case c.test >= numLess:
		c.number = directive.Atoi(c.text)
	}
	return nil
}

// holds reports whether the condition is met.
func (c *cond) holds(p *pass) bool {
	if c.test == isExpression {
		return c.traced(p, "(null)", c.evaluate(p) != c.not)
	}
	input := p.expand(c.input, nil, nil)
	return c.traced(p, input, c.check(p, input) != c.not)
}

func (c *cond) traced(p *pass, input string, ok bool) bool {
	if p.traced {
		fold, is := "", "not-matched"
		if c.fold {
			fold = " [NC]"
		}
		if ok {
			is = "matched"
		}
		p.traceDir(4, "RewriteCond: input='", input, "' pattern='", c.raw, "'", fold, " => ", is)
	}
	return ok
}

// evaluate is an expression's value. What its regular expression found is %0 to %9.
func (c *cond) evaluate(p *pass) bool {
	var found expr.Captures
	ok, err := c.expr.MatchCaptures(p.x, &found)
	if err != nil {
		if p.traced {
			p.traceDir(1, "RewriteCond: expr='", c.raw, "' evaluation failed: ", err.Error())
		}
		return false
	}
	if p.traced {
		is := "0"
		if ok {
			is = "1"
		}
		p.x.Log("rewrite", exchange.Trace1+3, nil, "Evaluation of expression from "+c.pos.String()+" gave: "+is)
	}
	if ok && !c.not {
		p.cond = groups{}
		if found.Set {
			p.cond.set(found.Source, found.Loc)
		}
	}
	return ok
}

// check holds the test's text against the input.
func (c *cond) check(p *pass, input string) bool {
	switch c.test {
	case matches:
		return c.match(p, input)
	case isURL:
		return p.isURL(input)
	case isSubFile:
		return p.isSubFile(input)
	}
	switch {
	case c.test < less:
		return c.checkFile(input)
	case c.test < numLess:
		return c.compare(input)
	}
	return c.compareNumber(directive.Atoi(input))
}

func (c *cond) match(p *pass, input string) bool {
	var loc [20]int
	found, ok, err := loc[:0], false, error(nil)
	if p.wantsCond && !c.not {
		found, ok, err = c.pattern.Find(input, found)
	} else {
		ok, err = c.pattern.Match(input)
	}
	if err != nil {
		p.x.GiveUp("rewrite", "RewriteCond "+c.raw, err)
		return false
	}
	if ok && !c.not {
		p.cond.set(input, found)
	}
	return ok
}

// checkFile asks the disk.
func (c *cond) checkFile(name string) bool {
	if strings.IndexByte(name, 0) >= 0 || name == "" {
		return false
	}
	look := os.Stat
	if c.test == isLink {
		look = os.Lstat
	}
	fi, err := look(name)
	if err != nil {
		return false
	}
	switch mode := fi.Mode(); c.test {
	case isFile:
		return mode.IsRegular()
	case isFilled:
		return mode.IsRegular() && fi.Size() > 0
	case isLink:
		return mode&os.ModeSymlink != 0
	case isFolder:
		return mode.IsDir()
	case isExecutable:
		return mode&0o111 != 0
	}
	return false
}

// compare compares texts; without NC the shorter is the smaller, and of two that are as long their bytes decide
// (httpd: mod_rewrite.c compare_lexicography).
func (c *cond) compare(input string) bool {
	n := 0
	switch {
	case c.fold:
		n = strings.Compare(lowered(input), lowered(c.text))
	case len(input) != len(c.text):
		n = len(input) - len(c.text)
	default:
		n = strings.Compare(input, c.text)
	}
	switch c.test {
	case less:
		return n < 0
	case lessOrEqual:
		return n <= 0
	case greater:
		return n > 0
	case greaterOrEqual:
		return n >= 0
	}
	return n == 0
}

func (c *cond) compareNumber(n int) bool {
	switch c.test {
	case numLess:
		return n < c.number
	case numLessOrEqual:
		return n <= c.number
	case numGreater:
		return n > c.number
	case numGreaterOrEqual:
		return n >= c.number
	}
	return n == c.number
}

// lowered has ASCII letters in lower case; other bytes stay.
func lowered(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// holdAll reports whether the conditions of a rule are met: of neighbours with OR in between one, of the others all.
func (r *rule) holdAll(p *pass) bool {
	for i := 0; i < len(r.conds); i++ {
		c := r.conds[i]
		ok := c.holds(p)
		if p.x.Undecided {
			return false
		}
		if c.noVary {
			p.looked = ""
		}
		switch {
		case c.orNext && !ok:
			p.looked = ""
			continue
		case c.orNext:
			for i < len(r.conds)-1 && r.conds[i].orNext {
				i++
			}
		case !ok:
			return false
		}
		p.keepLooked()
	}
	return true
}
