package rewrite

import (
	"errors"
	"math/rand/v2"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// rewriteMap is one RewriteMap. Immutable but for what its source keeps.
type rewriteMap struct {
	name   string
	kind   string // as traces name it: "[txt]", "[dbm]"; "" for functions and programs
	random bool   // rnd: one of the parts of the value
	source source
}

// source answers with the value of a key; ok is false when it has none.
type source interface {
	find(p *pass, m *rewriteMap, key string) (value string, ok bool)
}

// lookUp asks the map of a name. One that does not exist has nothing (httpd: mod_rewrite.c lookup_map).
func (p *pass) lookUp(name, key string) (string, bool) {
	m := p.maps[name]
	if m == nil {
		return "", false
	}
	value, ok := m.source.find(p, m, key)
	if !ok {
		return "", false
	}
	if m.random {
		value = oneOf(value)
		if p.traced {
			p.trace(5, "randomly chosen the subvalue `", value, "'")
		}
		ok = value != ""
	}
	return value, ok
}

// oneOf is one of the parts between bars, by chance.
func oneOf(value string) string {
	n := strings.Count(value, "|") + 1
	if n == 1 {
		return value
	}
	return strings.Split(value, "|")[rand.IntN(n)]
}

// told traces what a lookup came to.
func (p *pass) told(what string, m *rewriteMap, key, value string, ok bool) {
	switch {
	case !p.traced:
	case ok:
		p.trace(5, what, " lookup OK: map=", m.name, m.kind, " key=", key, " -> val=", value)
	default:
		p.trace(5, what, " lookup FAILED: map=", m.name, m.kind, " key=", key)
	}
}

// function is an int: map.
type function struct {
	of    func(string) string
	fresh bool // the value does not take the key's place in traces
}

func (f function) find(p *pass, m *rewriteMap, key string) (string, bool) {
	value := f.of(key)
	if !f.fresh {
		key = value
	}
	p.told("map", m, key, value, true)
	return value, true
}

var functions = map[string]*function{"tolower": {of: lowered}, "toupper": {of: raised}, "escape": {exchange.EscapePath, true}, "unescape": {of: unescape}}

func raised(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

// unescape replaces %XX; what is no such code stays. A code of a NUL ends the text (httpd: util.c ap_unescape_url, whose
// error nobody looks at).
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			c := hexValue(s[i+1])<<4 | hexValue(s[i+2])
			i += 2
			if c == 0 {
				break
			}
			b = append(b, c)
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// setMap (httpd: mod_rewrite.c cmd_rewritemap).
func setMap(s *directive.Scope, a directive.Args) error {
	m := &rewriteMap{name: a.Words[0]}
	if err := m.open(s, a); err != nil {
		return err
	}
	c := server(s)
	if c.maps == nil {
		c.maps = map[string]*rewriteMap{}
	}
	c.maps[m.name] = m
	return nil
}

// open finds out what the second word names.
func (m *rewriteMap) open(s *directive.Scope, a directive.Args) error {
	text := a.Words[1]
	kind, rest, has := strings.Cut(text, ":")
	if kind = strings.ToLower(kind); strings.HasPrefix(kind, "dbm") {
		return m.openTable(s, text)
	}
	if !has {
		kind, rest = "txt", text
	}
	switch kind {
	case "int":
		f := functions[rest]
		if f == nil {
			return errors.New("RewriteMap: internal map not found:" + rest)
		}
		m.source = f
		return nil
	case "dbd", "fastdbd":
		return refuseDatabase(s)
	case "prg":
		return m.openProgram(s, a, rest)
	case "txt", "rnd":
	default:
		rest = text // a file's name with a colon
	}
	m.kind, m.random = "[txt]", kind == "rnd"
	path := s.Config.Tree.Path(rest)
	m.source = &textFile{path: path}
	return m.there(s, path)
}

func refuseDatabase(s *directive.Scope) error {
	if !s.Config.Loaded("mod_dbd.c") {
		return errors.New("RewriteMap types dbd and fastdbd require mod_dbd!")
	}
	return &directive.Hinted{Msg: "RewriteMap: no database can be asked here", Hint: "write the table to a text file and use txt:, or have a program answer by prg:"}
}

// there is nil if the map's file exists.
func (m *rewriteMap) there(s *directive.Scope, path string) error {
	if _, err := s.Config.Files.Stat(path); err != nil {
		return errors.New("RewriteMap: file for map " + m.name + " not found:" + path)
	}
	return nil
}

// MapFiles are the files that a RewriteMap's second word names, as far as it is looked at whether they are there.
func MapFiles(word string) []string {
	kind, rest, has := strings.Cut(word, ":")
	kind = strings.ToLower(kind)
	switch {
	case !has:
		return []string{word}
	case strings.HasPrefix(kind, "dbm"):
		return tableFiles(word)
	case kind == "int", kind == "dbd", kind == "fastdbd":
		return nil
	case kind == "prg":
		rest, _ = apacheconf.Word(rest)
	case kind != "txt" && kind != "rnd":
		rest = word
	}
	return []string{rest}
}
