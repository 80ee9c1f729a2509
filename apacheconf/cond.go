package apacheconf

import (
	"os"
	"regexp"
	"strconv"
	"strings"
)

// doIf decides a conditional section and reads or skips what is in it.
func (r *reader) doIf(c *cursor, g *Group, args string) error {
	end := strings.LastIndexByte(args, '>')
	if end < 0 {
		return msg(g.Name + "> directive missing closing '>'")
	}
	holds, err := r.holds(g.Name, args[:end])
	if err != nil {
		return err
	}
	if !holds {
		return r.skip(c, g)
	}
	nodes, _, endRaw, err := r.nodes(c, g.Name[1:])
	g.Children, g.EndRaw = nodes, endRaw
	return err
}

func (r *reader) holds(section, arg string) (bool, error) {
	if strings.EqualFold(section, "<ifversion") {
		return holdsVersion(section, arg)
	}
	arg = strings.TrimLeft(arg, blanks)
	not := strings.HasPrefix(arg, "!")
	if not {
		arg = arg[1:]
	}
	word, _ := Word(arg)
	if word == "" {
		return false, msg(section + "> directive requires additional arguments")
	}
	var is bool
	switch strings.ToLower(section) {
	case "<ifdefine":
		is = r.vars[word] != nil
	case "<ifmodule":
		is = r.loaded[word]
	case "<iffile":
		_, err := os.Stat(absolute(r.tree.ServerRoot, word))
		is = err == nil
	case "<ifdirective":
		is = r.provides(word)
	case "<ifsection":
		is = r.provides("<" + word)
	}
	return is != not, nil
}

func (r *reader) provides(directive string) bool {
	if r.o.Modules == nil {
		return false
	}
	src, ok := r.o.Modules.Provider(directive)
	return ok && r.loaded[src]
}

// serverVersion is what <IfVersion> compares with: the httpd whose behaviour this is.
var serverVersion = [3]int{2, 4, 71}

const versionText = "2.4.71"

// holdsVersion is <IfVersion [!][op] version> (httpd: mod_version.c start_ifversion).
func holdsVersion(section, arg string) (bool, error) {
	w := Words(arg)
	if len(w) == 0 || len(w) > 2 {
		return false, msg(section + "> takes one, two or three arguments, a comparison operator, a version (and a delimiter)")
	}
	op, version := w[0], w[len(w)-1]
	not := strings.HasPrefix(op, "!")
	if not {
		op = op[1:]
	}
	if len(w) == 1 {
		op, version = "=", strings.TrimPrefix(version, "!")
	}
	holds, err := compareVersion(op, version)
	return holds != not, err
}

func compareVersion(op, version string) (bool, error) {
	if op == "~" {
		return matchVersion(version)
	}
	if (op == "=" || op == "==") && strings.HasPrefix(version, "/") {
		if len(version) < 2 || !strings.HasSuffix(version, "/") {
			return false, msg("Missing delimiting / of regular expression.")
		}
		return matchVersion(version[1 : len(version)-1])
	}
	c, err := versionOrder(version)
	if err != nil {
		return false, err
	}
	switch op {
	case "=", "==":
		return c == 0, nil
	case ">":
		return c > 0, nil
	case ">=", "=>":
		return c >= 0, nil
	case "<":
		return c < 0, nil
	case "<=", "=<":
		return c <= 0, nil
	}
	return false, msg("unrecognized operator '" + op + "'")
}

func matchVersion(expr string) (bool, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return false, msg("Unable to compile regular expression")
	}
	return re.MatchString(versionText), nil
}

// versionOrder compares ours with "major[.minor[.patch]]": negative when ours is older.
func versionOrder(text string) (int, error) {
	parts := strings.Split(text, ".")
	bad := msg("Version appears to be invalid. It must have the format major[.minor[.patch]] where major, minor and patch are numbers.")
	if len(parts) > 3 {
		return 0, bad
	}
	var want [3]int
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 {
			return 0, bad
		}
		want[i] = n
	}
	for i := range want {
		if serverVersion[i] != want[i] {
			return serverVersion[i] - want[i], nil
		}
	}
	return 0, nil
}

// skip passes over a section that does not hold, keeping its lines. Whatever looks like a section in
// it must close by its own name (httpd: config.c ap_soak_end_container).
func (r *reader) skip(c *cursor, g *Group) error {
	body, end, err := soak(c, g.Name)
	g.Body, g.EndRaw = body, end
	return err
}

func soak(c *cursor, name string) (body, endRaw string, err error) {
	var b strings.Builder
	for it := c.take(); it != nil; it = c.take() {
		word, rest := Word(it.line.text)
		switch {
		case strings.HasPrefix(word, "</"):
			word = word[:max(2, len(word)-1)]
			if !strings.EqualFold(word[2:], name[1:]) {
				return "", "", msg("Expected </" + name[1:] + "> but saw " + word + ">")
			}
			return b.String(), it.line.raw, nil
		case strings.HasPrefix(word, "<"):
			if rest == "" {
				word = strings.TrimSuffix(word, ">")
			}
			b.WriteString(it.line.raw)
			inner, end, err := soak(c, word)
			if err != nil {
				return "", "", err
			}
			b.WriteString(inner)
			b.WriteString(end)
		default:
			b.WriteString(it.line.raw)
		}
	}
	return "", "", msg("Expected </" + name[1:] + "> before end of configuration")
}
