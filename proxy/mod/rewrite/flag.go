package rewrite

import (
	"errors"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// flags of a rule.
type flags uint32

const (
	forceRedirect  flags = 1 << iota // R
	last                             // L
	again                            // N
	chain                            // C
	noSubrequest                     // NS
	negated                          // the pattern begins with "!"
	toProxy                          // P
	passThrough                      // PT
	appendQuery                      // QSA
	noCase                           // NC
	noEscape                         // NE
	noSubstitution                   // the substitution is "-", or a status stands in its place
	setsStatus                       // F, G, R with a code that is no redirect's
	escapeGroups                     // B
	dropPathInfo                     // DPI
	dropQuery                        // QSD
	endAll                           // END
	blankAsHex                       // BNP
	lastMark                         // QSL: the last "?" begins the query
	noQuery                          // the substitution ends with "?"
	escapeControls                   // BCTLS
	statPrefix                       // UnsafePrefixStat
	allowMark                        // UnsafeAllow3F
	keepSlashes                      // UNC
)

// ruleFlags is what each flag does, by its names in lower case. Any name that begins with D is taken besides.
var ruleFlags = map[string]func(r *rule, value string) error{
	"b": setEscapes, "backrefescaping": setEscapes,
	"bne": setNoEscapes,
	"bnp": bit(blankAsHex), "backrefernoplus": bit(blankAsHex),
	"bctls": bit(escapeControls | escapeGroups),
	"c":     bit(chain), "chain": bit(chain),
	"co": addCookie, "cookie": addCookie,
	"d": bit(dropPathInfo), "dpi": bit(dropPathInfo), "discardpath": bit(dropPathInfo),
	"e": addEnv, "env": addEnv,
	"end": bit(endAll),
	"f":   answer(403), "forbidden": answer(403),
	"g": answer(410), "gone": answer(410),
	"h": setHandler, "handler": setHandler,
	"l": bit(last), "last": bit(last),
	"n": setRounds, "next": setRounds,
	"nc": bit(noCase), "nocase": bit(noCase),
	"ne": bit(noEscape), "noescape": bit(noEscape),
	"ns": bit(noSubrequest), "nosubreq": bit(noSubrequest),
	"p": bit(toProxy), "proxy": bit(toProxy),
	"pt": bit(passThrough), "passthrough": bit(passThrough),
	"qsa": bit(appendQuery), "qsappend": bit(appendQuery),
	"qsd": bit(dropQuery), "qsdiscard": bit(dropQuery),
	"qsl": bit(lastMark), "qslast": bit(lastMark),
	"r": setRedirect, "redirect": setRedirect,
	"s": setSkip, "skip": setSkip,
	"t": setType, "type": setType,
	"unsafeprefixstat": bit(statPrefix), "unsafeallow3f": bit(allowMark), "unc": bit(keepSlashes),
}

// setFlag puts a flag into the rule (httpd: mod_rewrite.c cmd_rewriterule_setflag).
func (r *rule) setFlag(name, value string) error {
	low := strings.ToLower(name)
	switch set := ruleFlags[low]; {
	case set != nil:
		return set(r, value)
	case strings.HasPrefix(low, "d"):
		return nil
	}
	return unknownFlag(name)
}

func bit(f flags) func(*rule, string) error {
	return func(r *rule, _ string) error {
		r.flags |= f
		return nil
	}
}

func answer(status int) func(*rule, string) error {
	return func(r *rule, _ string) error {
		r.flags |= setsStatus | noSubstitution
		r.status = status
		return nil
	}
}

func setEscapes(r *rule, value string) error {
	r.flags |= escapeGroups
	if value != "" {
		r.escapes = value
	}
	return nil
}

func setNoEscapes(r *rule, value string) error {
	if value == "" {
		return errors.New("flag 'BNE' wants a list of characters (i.e. [BNE=...])")
	}
	r.plain = value
	return nil
}

func addCookie(r *rule, value string) error {
	r.cookies = append(r.cookies, parseTemplate(value))
	return nil
}

func addEnv(r *rule, value string) error {
	r.env = append(r.env, parseTemplate(value))
	return nil
}

func setHandler(r *rule, value string) error {
	r.handler = parseTemplate(value)
	return nil
}

func setType(r *rule, value string) error {
	r.mediaType = parseTemplate(value)
	return nil
}

func setRounds(r *rule, value string) error {
	r.flags |= again
	if value != "" {
		r.rounds = directive.Atoi(value)
	}
	return nil
}

// setSkip takes a number of 32 bits, as C does; one below 0 skips nothing.
func setSkip(r *rule, value string) error {
	r.skip = max(0, int(int32(directive.Atoi(value))))
	return nil
}

var redirectWords = map[string]int{"permanent": 301, "temp": 302, "seeother": 303}

// setRedirect takes a word or a number; a word that is not known stands for 302.
func setRedirect(r *rule, value string) error {
	r.flags |= forceRedirect
	switch {
	case value == "":
		return nil
	case value[0] < '0' || value[0] > '9':
		r.status = redirectWords[strings.ToLower(value)]
		return nil
	}
	if r.status = directive.Atoi(value); !exchange.Known(r.status) {
		return errors.New("invalid HTTP response code '" + value + "' for flag 'R'")
	}
	if !isRedirect(r.status) {
		r.flags |= setsStatus | noSubstitution
	}
	return nil
}

func isRedirect(status int) bool { return status >= 300 && status < 400 }
