package rewrite

import (
	"math/bits"
	"strings"
	"sync"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
)

// pass is one run of a list of rules over an exchange. x.Filename is what they have made of the path so far, and
// x.Req.Query of the query (httpd: rewrite_ctx, r->filename, r->args). Owned by the step that runs it.
type pass struct {
	x       *exchange.Exchange
	maps    map[string]*rewriteMap
	dir     *section // where rules of one run
	perDir  bool
	options option // of the server
	traced  bool

	uri        string // what patterns are held against
	rule, cond groups
	wantsCond  bool   // the rule at hand has a %n
	looked     string // fields that the condition at hand has looked at
	vary       string // those that count if the rule matches
	latest     *rule  // the last one that matched with a substitution
	reduced    bool   // a URL of our own was made a path
	round      int
	deadline   time.Time // of more than one round

	candidates []uint64 // rules that may match what they were searched for
	searched   bool     // uri is that text
	buffer     []byte
}

var passes = sync.Pool{New: func() any { return new(pass) }}

func newPass(x *exchange.Exchange, maps map[string]*rewriteMap) *pass {
	p := passes.Get().(*pass)
	p.x, p.maps, p.round = x, maps, 1
	p.traced = x.Enabled("rewrite", exchange.Trace1)
	return p
}

// end gives the pass back.
func (p *pass) end() {
	*p = pass{candidates: p.candidates[:0], buffer: p.buffer[:0]}
	poison.Put(&passes, p)
}

// outcome is what a list of rules came to (httpd: ACTION_*).
type outcome uint8

const (
	unchanged   outcome = iota
	changed             // there is another path or URL
	changedBare         // … that is not to be escaped
	answered            // err is the answer
)

// result is an outcome with what belongs to it.
type result struct {
	outcome
	status int // of a redirect, as the last rule with one has it; 0: none
	pass   bool
	err    error // of answered
}

// next says how a pass goes on behind a rule.
type next uint8

const (
	goOn next = iota
	stop
	fromTop
)

// run applies the rules (httpd: mod_rewrite.c apply_rewrite_list).
func (p *pass) run(set *ruleSet) (res result) {
	rules := set.list()
	for i := 0; i < len(rules); i++ {
		if i = p.candidate(set, i); i >= len(rules) {
			break
		}
		r := rules[i]
		if p.x.Depth > 0 && r.flags&(noSubrequest|forceRedirect) != 0 {
			continue
		}
		p.vary = ""
		matched := p.apply(r, &res)
		if p.x.Undecided {
			return result{outcome: answered, err: exchange.Status(500)}
		}
		if !matched {
			for i < len(rules) && rules[i].flags&chain != 0 {
				i++
			}
			continue
		}
		switch p.after(r, &res) {
		case stop:
			return res
		case fromTop:
			i = -1
		default:
			i += max(r.skip, 0)
		}
	}
	return res
}

// candidate is the first rule from i on that may match.
func (p *pass) candidate(set *ruleSet, i int) int {
	if p.traced || len(set.rules) <= fewRules {
		return i
	}
	if !p.searched {
		p.findURI()
		p.candidates, p.searched = set.set().Candidates(p.uri, p.candidates), true
	}
	for word := i / 64; word < (len(set.rules)+63)/64; word++ {
		if left := p.candidates[word] >> (i % 64); left != 0 {
			return i + bits.TrailingZeros64(left)
		}
		i = (word + 1) * 64
	}
	return len(set.rules)
}

// fewRules are tried one by one.
const fewRules = 8

// findURI finds what patterns are held against: the path so far; in a section with what stands behind the file's name,
// and without the section's own folder.
func (p *pass) findURI() {
	x := p.x
	p.uri = x.Filename
	if !p.perDir {
		return
	}
	if x.PathInfo != "" {
		if p.traced {
			p.traceDir(3, "add path info postfix: ", p.uri, " -> ", p.uri, x.PathInfo)
		}
		p.uri = p.keepJoined(p.uri, x.PathInfo)
	}
	if rest, ok := strings.CutPrefix(p.uri, p.dir.prefix); ok && !x.Forwarded() {
		if p.traced {
			p.traceDir(3, "strip per-dir prefix: ", p.uri, " -> ", rest)
		}
		p.uri = rest
	}
}

// matches holds a rule's pattern against the path.
func (p *pass) matches(r *rule) bool {
	if !p.searched || p.traced {
		p.findURI()
	}
	if p.traced {
		p.traceDir(3, "applying pattern '", r.text, "' to uri '", p.uri, "'")
	}
	var loc [20]int
	found, ok, err := loc[:0], false, error(nil)
	if r.groups && r.flags&negated == 0 {
		found, ok, err = r.pattern.Find(p.uri, found)
	} else {
		ok, err = r.pattern.Match(p.uri)
	}
	if err != nil {
		p.x.GiveUp("rewrite", r.pos.String()+": RewriteRule "+r.text, err)
		return false
	}
	if ok == (r.flags&negated != 0) {
		return false
	}
	p.looked, p.cond.n, p.rule.n, p.wantsCond = "", 0, 0, r.condGroups
	if r.flags&negated == 0 {
		p.rule.set(p.uri, found)
	}
	return true
}

// apply tries a rule. What it changes when it matches is in the exchange, and in res (httpd: mod_rewrite.c
// apply_rewrite_rule).
func (p *pass) apply(r *rule, res *result) bool {
	if !p.matches(r) || !r.holdAll(p) {
		return false
	}
	if r.flags&noSubstitution != 0 {
		p.set(r)
		p.force(r)
		if r.flags&setsStatus != 0 && p.traced {
			p.traceDir(2, "forcing responsecode ", p.x.Arena.Int(int64(r.status)), " for ", p.x.Filename)
		}
		return true
	}
	uri := p.uri
	m := marks{latest: r.flags&lastMark != 0}
	to := p.expand(r.to, r, &m)
	if p.traced {
		p.traceDir(2, "rewrite '", uri, "' -> '", to, "'")
	}
	if m.unsafe && r.flags&allowMark == 0 {
		p.x.Log("rewrite", exchange.Error, nil, "AH10508: Unsafe URL with %3f URL rewritten without UnsafeAllow3F")
		*res = result{outcome: answered, err: exchange.Status(403)}
		return true
	}
	if r.openHost > 0 && len(to) > r.openHost && to[r.openHost] != '/' && to[r.openHost] != '?' {
		p.x.Log("rewrite", exchange.Error, nil, "RewriteRule '"+r.text+"' leads to another host than the configuration says: "+to)
		*res = result{outcome: answered, err: exchange.Status(400)}
		return true
	}
	p.set(r)
	p.substitute(r, to, res)
	return true
}

// set sets the rule's variables and cookies.
func (p *pass) set(r *rule) {
	for _, t := range r.env {
		p.setEnv(p.expand(t, nil, nil))
	}
	for _, t := range r.cookies {
		p.setCookie(p.expand(t, nil, nil))
	}
}

// substitute puts a rule's text in the place of the path.
func (p *pass) substitute(r *rule, to string, res *result) {
	x := p.x
	to, prefixed := p.complete(r, to)
	x.Filename, p.searched = to, false
	if p.perDir && r.flags&dropPathInfo != 0 {
		x.PathInfo = ""
	}
	p.splitQuery(r)
	switch {
	case r.flags&toProxy != 0:
		p.qualify()
		if p.traced {
			p.traceDir(2, "forcing proxy-throughput with ", x.Filename)
		}
		x.Filename = p.keepJoined(proxyPrefix, x.Filename)
		return
	case r.flags&forceRedirect != 0:
		p.qualify()
		if p.traced {
			p.traceDir(2, "explicitly forcing redirect with ", x.Filename)
		}
		res.status = r.status
		return
	}
	p.reduce()
	if n, _ := absoluteURL(x.Filename); n > 0 {
		if p.traced {
			p.traceDir(2, "implicitly forcing redirect (rc=", x.Arena.Int(int64(r.status)), " with ", x.Filename)
		}
		res.status = r.status
		return
	}
	if !prefixed && r.flags&keepSlashes == 0 && !strings.HasPrefix(r.output, "//") {
		x.Filename = oneSlash(x.Filename)
	}
	p.force(r)
}

const proxyPrefix = "proxy:"

// oneSlash is a path with a run of slashes at its front taken as one.
func oneSlash(path string) string {
	for strings.HasPrefix(path, "//") {
		path = path[1:]
	}
	return path
}

// complete gives a text that is neither a path nor a URL its beginning: the section's folder, or a slash.
func (p *pass) complete(r *rule, to string) (made string, prefixed bool) {
	if strings.HasPrefix(to, "/") || p.x.Forwarded() && p.perDir {
		return to, false
	}
	if n, _ := absoluteURL(to); n > 0 {
		return to, false
	}
	switch {
	case p.perDir:
		if p.traced {
			p.traceDir(3, "add per-dir prefix: ", to, " -> ", p.dir.prefix, to)
		}
		return p.keepJoined(p.dir.prefix, to), true
	case r.flags&(toProxy|forceRedirect) == 0:
		if p.traced {
			p.traceDir(3, "add root prefix: ", to, " -> /", to)
		}
		return p.keepJoined("/", to), true
	}
	return to, false
}

// after says how the pass goes on behind a rule that matched.
func (p *pass) after(r *rule, res *result) next {
	x := p.x
	if r.flags&noSubstitution == 0 {
		if p.traced {
			p.traceDir(2, "setting lastsub to rule with output ", r.output)
		}
		p.latest = r
	}
	if most := 2 * x.Server.LimitLine; most > 0 && len(x.Filename) > most {
		x.Log("rewrite", exchange.Error, nil, "RewriteRule '"+r.text+"' and URI '"+x.Req.Path+"' exceeded maximum length ("+x.Arena.Int(int64(most))+")")
		return p.answer(res, 500)
	}
	if p.vary != "" {
		x.AppendTo(&x.Res.Header, "Vary", p.vary)
	}
	switch {
	case res.outcome == answered:
		return stop
	case r.flags&setsStatus != 0:
		return p.answer(res, r.status)
	case r.flags&noSubstitution != 0:
	case r.flags&noEscape != 0:
		res.outcome = changedBare
	default:
		res.outcome = changed
	}
	return p.goOn(r, res)
}

// answer ends the pass with a status. One below 200 is no answer.
func (p *pass) answer(res *result, status int) next {
	if status < 200 {
		status = 500
	}
	*res = result{outcome: answered, err: exchange.Status(status)}
	told(p.x)
	return stop
}

// told makes the answer the request's own, also where it is the ErrorDocument of another (httpd: r->status = HTTP_OK).
func told(x *exchange.Exchange) {
	if x.Prev != nil {
		x.Prev.Error = 0
	}
}

// goOn obeys the flags that say where the pass goes on.
func (p *pass) goOn(r *rule, res *result) next {
	switch {
	case r.flags&passThrough != 0:
		if p.traced {
			p.traceDir(2, "forcing '", p.x.Filename, "' to get passed through to next API URI-to-filename handler")
		}
		res.outcome, res.pass = changed, true
		return stop
	case r.flags&endAll != 0:
		if p.traced {
			p.traceDir(8, "Rule has END flag, no further rewriting for this request")
		}
		p.x.State[exchange.StateRewriteEnd] = true
		return stop
	case r.flags&(toProxy|last) != 0:
		return stop
	case r.flags&again != 0:
		return p.anew(r, res)
	}
	return goOn
}

// longest is how long the rounds of one request may take: rules with N that double a text, or go round in 32,000 circles of a
// slow pattern, would hold a processor for as long as anybody asks.
const longest = time.Second

// anew begins another round, if there may be one.
func (p *pass) anew(r *rule, res *result) next {
	p.round++
	if p.round >= r.rounds {
		p.x.Log("rewrite", exchange.Error, nil, "AH02596: RewriteRule '"+r.text+"' and URI '"+p.x.Req.Path+"' exceeded maximum number of rounds ("+
			p.x.Arena.Int(int64(r.rounds))+") via the [N] flag")
		return p.answer(res, 500)
	}
	switch {
	case p.round == patientRounds:
		p.x.Block()
		p.deadline = time.Now().Add(longest)
	case p.round%patientRounds == 0 && time.Now().After(p.deadline):
		p.x.Log("rewrite", exchange.Error, nil, "RewriteRule '"+r.text+"' and URI '"+p.x.Req.Path+"' took too long via the [N] flag")
		return p.answer(res, 500)
	}
	return fromTop
}

// patientRounds is how many rounds are made without a look at the clock.
const patientRounds = 64
