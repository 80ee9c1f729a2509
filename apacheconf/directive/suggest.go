package directive

import "strings"

// suggest is the help behind "Invalid command": the module that would have to be loaded, or the name
// that was probably meant.
func (c *Config) suggest(name string, k *known) string {
	if k != nil && foreignBySource(k.module) != nil {
		return foreignBySource(k.module).text(name)
	}
	if k != nil {
		ident := "mod_" + logName(k.module)
		return name + " belongs to " + k.module + ": LoadModule " + logName(k.module) + "_module modules/" + ident + ".so"
	}
	if f := foreignByDirective(name); f != nil {
		return f.text(name)
	}
	best := Nearest(name, Names())
	if best == "" && len(c.Tree.Unknown) > 0 {
		module := strings.TrimSuffix(c.Tree.Unknown[0].Ident, "_module")
		return "mod_" + module + " is not known here; if " + name + " is its directive, \"Define " + Without(module) + "\" goes on without"
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// Nearest is the first of the names that was probably meant by a word, in any case: it takes at most two letters more,
// less or otherwise. "" if none is so near.
func Nearest(word string, names []string) string {
	best, distance := "", 3
	for _, n := range names {
		if d := editDistance(strings.ToLower(word), strings.ToLower(n), distance); d < distance {
			best, distance = n, d
		}
	}
	return best
}

// oddities are what editors and web pages put into lines, and httpd takes as text like any other, with what is to be said.
var oddities = []struct{ text, help string }{
	{"\ufeff", "a byte order mark stands in front: save the file without one"},
	{"\u00a0", "a no-break space parts no words: write a plain one"},
	{" \u201c", curlyQuotes}, {" \u201d", curlyQuotes}, {" \u201e", curlyQuotes}, {" \u2018", curlyQuotes},
	{" #", "a # behind a directive begins no comment: comments need lines of their own"},
}

const curlyQuotes = "typographic quotes are taken as a part of the word: write plain ones"

// oddityOf is what is to be said of a line that has, outside of quotes, what looks like something else. "" for others.
func oddityOf(line string) string {
	for _, o := range oddities {
		if i := strings.Index(line, o.text); i >= 0 && strings.Count(line[:i], `"`)%2 == 0 {
			return o.help
		}
	}
	return ""
}

// editDistance is Levenshtein's; it gives up beyond limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
