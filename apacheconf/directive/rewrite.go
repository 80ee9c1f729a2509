package directive

import (
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/pattern"
)

var ruleFlags = set(`b backrefescaping bnp backrefnoplus bctls bne c chain co cookie dpi discardpath e env end f forbidden g gone h handler l last n next nc nocase
ne noescape ns nosubreq p proxy pt passthrough qsa qsappend qsd qsdiscard qsl qslast r redirect s skip t type unsafeallow3f unsafeprefixstat unc`)

var condFlags = set("nc nocase or ornext nv novary")

// checkRewriteRule takes pattern, substitution and [flags] (httpd: mod_rewrite.c cmd_rewriterule).
func checkRewriteRule(_ *Scope, a Args) error {
	w := ruleWords(a.Raw)
	if len(w) < 2 {
		return errors.New("RewriteRule: bad argument line '" + a.Raw + "'")
	}
	flags, err := rewriteFlags("RewriteRule", w[2:])
	if err != nil {
		return err
	}
	fold := false
	for _, f := range flags {
		name, value, has := strings.Cut(f, "=")
		low := strings.ToLower(name)
		if !ruleFlags[low] {
			return errors.New("RewriteRule: unknown flag '" + name + "'")
		}
		fold = fold || low == "nc" || low == "nocase"
		if n, err := strconv.Atoi(value); (low == "r" || low == "redirect") && has && err == nil && (n < 100 || n > 599 || n >= 400 && n < 100) {
			return errors.New("RewriteRule: invalid HTTP response code '" + value + "' for flag 'R'")
		}
	}
	expr := strings.TrimPrefix(w[0], "!")
	if _, err := pattern.Compile(expr, pattern.Options{Fold: fold}); err != nil {
		return errors.New("RewriteRule: cannot compile regular expression '" + expr + "'")
	}
	return nil
}

// refusesAccess is Closes of a RewriteRule: one that forbids, or answers with an error.
func refusesAccess(w []string) bool {
	if len(w) < 3 {
		return false
	}
	for _, f := range strings.Split(strings.Trim(w[2], "[]"), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(f)), "=")
		switch name {
		case "f", "forbidden", "g", "gone":
			return true
		case "r", "redirect":
			if denies(value) {
				return true
			}
		}
	}
	return false
}

// denies: a response of this status is a refusal.
func denies(value string) bool {
	n := Atoi(value)
	return n >= 400 && n < 600
}

// ruleWords takes the two or three words of a rule or condition, which have their own syntax: a
// quoted one ends at the next such quote, a backslash protects a blank and stays, and what follows the
// third is ignored. Less than two are none (httpd: mod_rewrite.c parseargline).
func ruleWords(text string) []string {
	const blanks = " \t\n\v\f\r"
	var out []string
	for len(out) < 3 {
		text = strings.TrimLeft(text, blanks)
		if text == "" && len(out) != 1 {
			break
		}
		word, rest, ended := ruleWord(text, blanks)
		if !ended && len(out) == 0 {
			return nil
		}
		out, text = append(out, word), rest
	}
	return out
}

func ruleWord(text, blanks string) (word, rest string, ended bool) {
	var quote byte
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		quote, text = text[0], text[1:]
	}
	for i := 0; i < len(text); i++ {
		blank := strings.IndexByte(blanks, text[i]) >= 0
		if quote == 0 && blank || quote != 0 && text[i] == quote {
			return text[:i], text[i+1:], true
		}
		if text[i] == '\\' && i+1 < len(text) && strings.IndexByte(blanks, text[i+1]) >= 0 {
			i++
		}
	}
	return text, "", false
}

// rewriteFlags splits "[a,b=c]" (httpd: mod_rewrite.c cmd_parseflagfield).
func rewriteFlags(directive string, rest []string) ([]string, error) {
	if len(rest) == 0 {
		return nil, nil
	}
	text := rest[0]
	if len(text) < 2 || text[0] != '[' || text[len(text)-1] != ']' {
		return nil, errors.New(directive + ": bad flag delimiters")
	}
	list := strings.Split(text[1:len(text)-1], ",")
	for i, f := range list {
		list[i] = strings.TrimSpace(f)
	}
	return list, nil
}

// checkRewriteCond takes test string, condition and [flags] (httpd: mod_rewrite.c cmd_rewritecond).
func checkRewriteCond(_ *Scope, a Args) error {
	w := ruleWords(a.Raw)
	if len(w) < 2 {
		return errors.New("RewriteCond: bad argument line '" + a.Raw + "'")
	}
	flags, err := rewriteFlags("RewriteCond", w[2:])
	if err != nil {
		return err
	}
	for _, f := range flags {
		if !condFlags[strings.ToLower(f)] {
			return errors.New("RewriteCond: unknown flag '" + f + "'")
		}
	}
	cond := strings.TrimPrefix(w[1], "!")
	if strings.EqualFold(w[0], "expr") || plainCondition(cond) {
		return nil
	}
	if _, err := pattern.Compile(cond, pattern.Options{}); err != nil {
		return errors.New("RewriteCond: cannot compile regular expression '" + cond + "'")
	}
	return nil
}

// plainCondition tells of a condition that is no regular expression: a test of a file, a comparison.
func plainCondition(cond string) bool {
	switch {
	case len(cond) < 2:
		return false
	case cond[0] != '-':
		return strings.IndexByte("<>=", cond[0]) >= 0
	case len(cond) == 2:
		return strings.IndexByte("fsdxhLlUF", cond[1]) >= 0
	}
	return len(cond) > 3 && set("lt le gt ge eq ne")[cond[1:3]]
}

var rewriteOptionWords = set(`inherit inheritbefore inheritdown inheritdownbefore ignoreinherit allownoslash allowanyuri mergebase ignorecontextinfo legacyprefixdocroot
unsafeprefixstat`)

func checkRewriteOptions(s *Scope, a Args) error {
	for _, w := range apacheconf.Words(a.Raw) {
		if len(w) >= 13 && strings.EqualFold(w[:13], "MaxRedirects=") {
			s.Config.Warn(a.Pos, "rewrite", "AH00664: RewriteOptions: MaxRedirects option has been removed in favor of the global LimitInternalRecursion directive and will be ignored.")
			continue
		}
		if !rewriteOptionWords[strings.ToLower(w)] {
			return errors.New("RewriteOptions: unknown option '" + w + "'")
		}
	}
	return nil
}

// checkRewriteMap takes a name and "kind:source"; what is of no kind is a text file
// (httpd: mod_rewrite.c cmd_rewritemap).
func checkRewriteMap(s *Scope, a Args) error {
	kind, source, _ := strings.Cut(a.Words[1], ":")
	kind, form, _ := strings.Cut(strings.ToLower(kind), "=")
	switch kind {
	case "int":
		switch source {
		case "tolower", "toupper", "escape", "unescape":
			return nil
		}
		return errors.New("RewriteMap: internal map not found:" + source)
	case "dbd", "fastdbd":
		if !s.Config.Loaded("mod_dbd.c") {
			return errors.New("RewriteMap types dbd and fastdbd require mod_dbd!")
		}
		return nil
	case "dbm":
		switch form {
		case "", "default", "sdbm", "gdbm", "db", "ndbm":
		default:
			return errors.New("RewriteMap: dbm type " + form + " is invalid")
		}
	case "txt", "rnd":
	case "prg":
		source, _ = apacheconf.Word(source) // the rest are arguments
	default:
		source = a.Words[1]
	}
	path := s.Config.Tree.Path(source)
	found := exists(s.Config, path)
	if kind == "dbm" {
		found = found || exists(s.Config, path+".pag") || exists(s.Config, path+".db")
	}
	if !found {
		return errors.New("RewriteMap: file for map " + a.Words[0] + " not found:" + path)
	}
	return nil
}

func exists(c *Config, path string) bool {
	_, err := c.Files.Stat(path)
	return err == nil
}

func checkRewriteBase(s *Scope, a Args) error {
	if s.Kind&Server != 0 {
		return errors.New("RewriteBase: only valid in per-directory config files")
	}
	if !strings.HasPrefix(a.Words[0], "/") {
		return errors.New("RewriteBase: argument is not a valid URL")
	}
	return nil
}
