package apacheconf

import (
	"os"
	"regexp"
	"strconv"
	"strings"
)

// doIf decides a conditional section and reads or skips what is in it.
func (r *reader) doIf(c *cursor, g *Group, args string) error {
	holds, err := r.holds(g.Name, args)
	if err != nil {
		return err
	}
	if !holds {
		if word, plain := moduleOf(g.Name, args); plain {
			r.tree.Skipped = append(r.tree.Skipped, Skipped{Module: word, Pos: g.Pos})
		}
		return r.skip(c, g)
	}
	if r.conditions++; r.conditions > r.nesting() {
		return errNested
	}
	defer func() { r.conditions-- }()
	nodes, _, endRaw, err := r.nodes(c, g.Name[1:])
	g.Children, g.EndRaw = nodes, endRaw
	return err
}

// moduleOf is the module of an <IfModule>; plain: it is no "!module".
func moduleOf(section, arg string) (module string, plain bool) {
	module, _ = Word(strings.TrimSuffix(strings.TrimLeft(arg, blanks), ">"))
	return module, strings.EqualFold(section, "<ifmodule") && !strings.HasPrefix(module, "!")
}

func (r *reader) holds(section, arg string) (bool, error) {
	if strings.EqualFold(section, "<ifversion") {
		return holdsVersion(arg)
	}
	end := strings.LastIndexByte(arg, '>')
	if end < 0 {
		return false, msg(section + "> directive missing closing '>'")
	}
	arg = strings.TrimLeft(arg[:end], blanks)
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
		is = r.names[word]
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

// holdsVersion is <IfVersion [[!]op] version>; the closing ">" may be a word of its own
// (httpd: mod_version.c start_ifversion).
func holdsVersion(arg string) (bool, error) {
	w := Words(arg)
	if len(w) == 0 || len(w) > 3 || w[0] == "" {
		return false, msg("<IfVersion takes one, two or three arguments, a comparison operator, a version (and a delimiter)")
	}
	if len(w) == 1 || len(w) == 2 && w[1] == ">" {
		w = append([]string{"="}, w...)
	}
	op, version := w[0], w[1]
	if version == "" || (len(w) < 3 || w[2] != ">") && !strings.HasSuffix(version, ">") {
		return false, msg("<IfVersion> directive missing closing '>'")
	}
	if len(w) < 3 || w[2] != ">" {
		version = version[:len(version)-1]
	}
	bare := op
	if len(op) > 1 {
		bare = strings.TrimPrefix(op, "!")
	}
	holds, known, err := compareVersion(bare, version)
	if err == nil && !known {
		err = msg("unrecognized operator '" + op + "'")
	}
	return holds != strings.HasPrefix(op, "!"), err
}

func compareVersion(op, version string) (holds, known bool, err error) {
	switch op {
	case "~":
		holds, err = matchVersion(version)
		return holds, true, err
	case "=", "==", ">", ">=", "<", "<=":
	default:
		return false, false, nil
	}
	if op[0] == '=' && strings.HasPrefix(version, "/") {
		if len(version) < 2 || !strings.HasSuffix(version, "/") {
			return false, true, msg("Missing delimiting / of regular expression.")
		}
		holds, err = matchVersion(version[1 : len(version)-1])
		return holds, true, err
	}
	c, err := versionOrder(version)
	switch {
	case c < 0:
		holds = op[0] == '<'
	case c > 0:
		holds = op[0] == '>'
	default:
		holds = op[0] == '=' || strings.HasSuffix(op, "=")
	}
	return holds, true, err
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
	if len(parts) == 4 && parts[3] == "" {
		parts = parts[:3]
	}
	if len(parts) > 3 || parts[0] == "" {
		return 0, bad
	}
	var want [3]int
	for i, p := range parts {
		if strings.Trim(p, "0123456789") != "" {
			return 0, bad
		}
		want[i], _ = strconv.Atoi(p) // nothing is 0
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
	body, end, err := soak(c, g.Name, r.nesting())
	g.Body, g.EndRaw = body, end
	return err
}

func soak(c *cursor, name string, deep int) (body, endRaw string, err error) {
	var b strings.Builder
	for it := c.take(); it != nil; it = c.take() {
		word, rest := Word(it.line.text)
		switch {
		case strings.HasPrefix(word, "</"):
			word = word[:len(word)-1]
			if len(word) < 2 || !strings.EqualFold(word[2:], name[1:]) {
				return "", "", msg("Expected </" + name[1:] + "> but saw " + word + ">")
			}
			return b.String(), it.line.raw, nil
		case strings.HasPrefix(word, "<"):
			if rest == "" {
				word = strings.TrimSuffix(word, ">")
			}
			b.WriteString(it.line.raw)
			if deep == 0 {
				return "", "", errNested
			}
			inner, end, err := soak(c, word, deep-1)
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
