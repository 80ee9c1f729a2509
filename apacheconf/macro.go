package apacheconf

import (
	"fmt"
	"strings"
)

// macro is one <Macro name $arg …>.
type macro struct {
	name string // lower case
	args []string
	body []string // logical lines
	pos  Pos
}

// what is how messages name it.
func (m *macro) what() string {
	return "macro '" + m.name + "' (defined on line " + itoa(m.pos.Line) + " of \"" + m.pos.File + "\")"
}

func (r *reader) macroWarn(pos Pos, text string) { r.warnOf("macro", pos, text) }

// doMacro keeps a macro's lines as they are (httpd: mod_macro.c macro_section).
func (r *reader) doMacro(c *cursor, g *Group, args string) error {
	end := strings.LastIndexByte(args, '>')
	if end < 0 {
		return msg("<Macro> directive missing closing '>'")
	}
	if end == 0 {
		return msg("<Macro macro definition: empty name")
	}
	r.warnRest("AH02801: non blank chars found after <Macro closing '>'", args[end+1:], g.Pos)
	name, rest := Word(args[:end])
	if name == "" {
		return msg("<Macro macro definition: name not found")
	}
	m := &macro{name: strings.ToLower(name), args: Words(rest), pos: g.Pos}
	if r.macros == nil {
		r.macros = map[string]*macro{}
	}
	if old := r.macros[m.name]; old != nil {
		r.macroWarn(g.Pos, "AH02802: macro '"+m.name+"' multiply defined: defined on line "+itoa(old.pos.Line)+" of \""+old.pos.File+"\", redefined on line "+itoa(g.Pos.Line)+" of \""+g.Pos.File+"\"")
	}
	if err := r.checkArgs(m, g.Pos); err != nil {
		return err
	}
	if err := r.macroBody(c, g, m); err != nil {
		return err
	}
	r.checkBody(m, g.Pos)
	r.macros[m.name] = m
	return nil
}

// warnRest warns of what stands behind a ">", unless it is a comment.
func (r *reader) warnRest(what, rest string, pos Pos) {
	if text := strings.TrimLeft(rest, " \t"); text != "" && text[0] != '#' {
		r.macroWarn(pos, "AH02989: "+what+" on line "+itoa(pos.Line)+" of "+pos.File+": "+rest)
	}
}

func (r *reader) checkArgs(m *macro, pos Pos) error {
	if strings.ContainsAny(m.name[:1], "$%@") {
		r.macroWarn(pos, "AH02803: "+m.what()+" better prefix a macro name with any of '$%@'")
	}
	for i, a := range m.args {
		if a == "" {
			return msg(m.what() + ": empty argument #" + itoa(i+1) + " name")
		}
		if strings.HasPrefix(a, "${") {
			r.macroWarn(pos, "AH02805: "+m.what()+" argument name '"+a+"' (#"+itoa(i+1)+") clashes with 'Define' syntax '${...}', better use '$(...)'.")
		} else if !strings.ContainsAny(a[:1], "$%@") {
			r.macroWarn(pos, "AH02796: "+m.what()+" argument name '"+a+"' (#"+itoa(i+1)+") without expected prefix, better prefix argument names with one of '$%@'.")
		}
		for j := i + 1; j < len(m.args); j++ {
			b := m.args[j]
			if a == b {
				return msg("argument name conflict in " + m.what() + ": argument '" + a + "': #" + itoa(i+1) + " and #" + itoa(j+1) + ", change argument names!")
			}
			if b != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) {
				r.macroWarn(pos, "AH02797: "+m.what()+": argument name prefix conflict ("+a+" #"+itoa(i+1)+" and "+b+" #"+itoa(j+1)+"), be careful about your macro definition!")
			}
		}
	}
	return nil
}

// macroBody takes the lines up to the </Macro> that belongs to this one, without comments, and warns of
// sections that do not nest.
func (r *reader) macroBody(c *cursor, g *Group, m *macro) error {
	var raw strings.Builder
	macros, sections := 1, 1
	for it := c.take(); it != nil; it = c.take() {
		text := it.line.text
		if strings.HasPrefix(text, "#") {
			raw.WriteString(it.line.raw)
			continue
		}
		word, _ := Word(text)
		if strings.HasPrefix(word, "</") {
			if sections--; sections < 0 {
				r.macroWarn(g.Pos, "AH02793: bad (negative) nesting on line "+itoa(it.line.last-g.Pos.Line)+" of "+m.what())
			}
		} else if strings.HasPrefix(word, "<") {
			sections++
		}
		switch {
		case strings.EqualFold(word, "</Macro>"):
			r.warnRest("AH02794: non blank chars found after directive closing", text[strings.LastIndexByte(text, '>')+1:], c.pos(it.line))
			if macros--; macros == 0 {
				if sections != 0 {
					r.macroWarn(g.Pos, fmt.Sprintf("AH02795: bad cumulated nesting (%+d) in %s", sections, m.what()))
				}
				g.Body, g.EndRaw = raw.String(), it.line.raw
				return nil
			}
		case strings.EqualFold(word, "<Macro"):
			macros++
		}
		raw.WriteString(it.line.raw)
		m.body = append(m.body, text)
	}
	return msg(m.what() + "\n\tcontents error: expected token not found: </Macro>")
}

func (r *reader) checkBody(m *macro, pos Pos) {
	if len(m.body) == 0 {
		r.macroWarn(pos, "AH02799: "+m.what()+": empty contents!")
		return
	}
	used := make([]bool, len(m.args))
	for _, line := range m.body {
		for i, at := m.argument(line); i >= 0; i, at = m.argument(line) {
			used[i], line = true, line[at+len(m.args[i]):]
		}
	}
	for i, a := range m.args {
		if !used[i] {
			r.macroWarn(pos, "AH02800: "+m.what()+": argument '"+a+"' (#"+itoa(i+1)+") never used")
		}
	}
}

// argument finds the first argument's name in a line, of several that begin there the longest; -1: none.
func (m *macro) argument(line string) (which, at int) {
	which = -1
	for i, a := range m.args {
		if f := strings.Index(line, a); f >= 0 && (which < 0 || f < at || f == at && len(a) > len(m.args[which])) {
			which, at = i, f
		}
	}
	return which, at
}

// doUse puts a macro's lines, with its arguments put in, in front of the lines that follow (httpd: mod_macro.c use_macro).
func (r *reader) doUse(c *cursor, g *Group, args string) error {
	name, rest := Word(args)
	if r.macros == nil {
		return msg("no macro defined before Use")
	}
	if name == "" {
		return msg("no macro name specified with Use")
	}
	m := r.macros[strings.ToLower(name)]
	if m == nil {
		return msg("macro '" + strings.ToLower(name) + "' undefined")
	}
	if strings.Contains(c.name, "macro '"+m.name+"'") {
		return msg("recursive use of macro '" + m.name + "' is invalid")
	}
	values := Words(rest)
	if len(values) != len(m.args) {
		return msg(m.what() + " used with " + itoa(len(values)) + " arguments instead of " + itoa(len(m.args)))
	}
	where := m.what() + " used on line " + itoa(g.Pos.Line) + " of \"" + g.Pos.File + "\""
	for i, v := range values {
		if v == "" {
			r.macroWarn(g.Pos, "AH02798: "+where+": empty argument #"+itoa(i+1))
		}
	}
	return c.splice(where, m.substitute(values))
}

// substitute puts the values in, line by line. That of an argument whose name begins with "@" is quoted.
func (m *macro) substitute(values []string) string {
	var b strings.Builder
	for _, line := range m.body {
		for i, at := m.argument(line); i >= 0; i, at = m.argument(line) {
			b.WriteString(line[:at])
			if name := m.args[i]; name[0] == '@' && values[i] != name {
				b.WriteString(`"` + quoter.Replace(values[i]) + `"`)
			} else {
				b.WriteString(values[i])
			}
			line = line[at+len(m.args[i]):]
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}

var quoter = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

func (r *reader) doUndefMacro(c *cursor, g *Group, args string) error {
	name, err := one(g.Name, args, "Remove a macro definition.")
	if err != nil {
		return err
	}
	if r.macros == nil {
		return msg("no macro defined before UndefMacro")
	}
	if r.macros[strings.ToLower(name)] == nil {
		return msg("cannot remove undefined macro '" + strings.ToLower(name) + "'")
	}
	delete(r.macros, strings.ToLower(name))
	return nil
}
