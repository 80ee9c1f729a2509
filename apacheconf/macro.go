package apacheconf

import (
	"sort"
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

// doMacro keeps a macro's lines as they are (httpd: mod_macro.c macro_section).
func (r *reader) doMacro(c *cursor, g *Group, args string) error {
	end := strings.LastIndexByte(args, '>')
	if end < 0 {
		return msg(g.Name + "> directive missing closing '>'")
	}
	name, rest := Word(args[:end])
	if name == "" {
		return msg("<Macro macro definition: empty name")
	}
	m := &macro{name: strings.ToLower(name), args: Words(rest), pos: g.Pos}
	if err := r.checkArgs(m, g.Pos); err != nil {
		return err
	}
	if err := r.macroBody(c, g, m); err != nil {
		return err
	}
	r.checkBody(m, g.Pos)
	if r.macros == nil {
		r.macros = map[string]*macro{}
	}
	if old := r.macros[m.name]; old != nil {
		r.warn(g.Pos, "AH02802: "+m.what()+" multiply defined: "+old.what())
	}
	r.macros[m.name] = m
	return nil
}

func (r *reader) checkArgs(m *macro, pos Pos) error {
	if strings.ContainsAny(m.name[:1], "$%@") {
		r.warn(pos, "AH02803: bad (dangerous) macro name prefix '"+m.name[:1]+"' on "+m.what())
	}
	for i, a := range m.args {
		if a == "" {
			return msg(m.what() + ": empty argument #" + itoa(i+1) + " name")
		}
		if !strings.ContainsAny(a[:1], "$%@") {
			r.warn(pos, "AH02796: "+m.what()+" argument name '"+a+"' (#"+itoa(i+1)+") without expected prefix, better prefix argument names with one of '$%@'.")
		}
		for j := 0; j < i; j++ {
			b := m.args[j]
			if strings.EqualFold(a, b) {
				return msg("argument name conflict in " + m.what() + ": argument '" + b + "': #" + itoa(j+1) + " and #" + itoa(i+1) + ", change argument names!")
			}
			if strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
				r.warn(pos, "AH02797: "+m.what()+": argument name prefix conflict ("+b+" #"+itoa(j+1)+" and "+a+" #"+itoa(i+1)+"), be careful about your macro definition!")
			}
		}
	}
	return nil
}

// macroBody takes the lines up to the </Macro> that belongs to this one.
func (r *reader) macroBody(c *cursor, g *Group, m *macro) error {
	var raw strings.Builder
	depth := 1
	for it := c.take(); it != nil; it = c.take() {
		word, _ := Word(it.line.text)
		switch {
		case strings.EqualFold(word, "</Macro>"):
			if depth--; depth == 0 {
				g.Body, g.EndRaw = raw.String(), it.line.raw
				return nil
			}
		case strings.EqualFold(word, "<Macro") || strings.EqualFold(word, "<Macro>"):
			depth++
		}
		raw.WriteString(it.line.raw)
		m.body = append(m.body, it.line.text)
	}
	return msg(m.what() + "\n\tcontents error: expected token not found: </Macro>")
}

func (r *reader) checkBody(m *macro, pos Pos) {
	all := strings.Join(m.body, "\n")
	if strings.TrimSpace(all) == "" {
		r.warn(pos, "AH02799: empty contents for "+m.what())
		return
	}
	for i, a := range m.args {
		if !strings.Contains(all, a) {
			r.warn(pos, "AH02800: argument '"+a+"' (#"+itoa(i+1)+") never used in "+m.what())
		}
	}
}

// doUse reads a macro's lines with its arguments put in (httpd: mod_macro.c use_macro).
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
	for _, u := range r.using {
		if u == m {
			return msg("recursive use of macro '" + m.name + "' is invalid")
		}
	}
	values := Words(rest)
	if len(values) != len(m.args) {
		return msg(m.what() + " used with " + itoa(len(values)) + " arguments instead of " + itoa(len(m.args)))
	}
	r.using = append(r.using, m)
	defer func() { r.using = r.using[:len(r.using)-1] }()
	file := m.what() + " used on line " + itoa(g.Pos.Line) + " of \"" + g.Pos.File + "\""
	nodes, err := r.text(file, m.substitute(values), true)
	if err != nil {
		return err
	}
	g.Outside, g.Children = true, nodes
	return nil
}

// substitute replaces each argument's name in each line, the longest names first.
func (m *macro) substitute(values []string) string {
	order := make([]int, len(m.args))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return len(m.args[order[a]]) > len(m.args[order[b]]) })
	var pairs []string
	for _, i := range order {
		pairs = append(pairs, m.args[i], values[i])
	}
	text := strings.Join(m.body, "\n") + "\n"
	if len(pairs) == 0 {
		return text
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

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
