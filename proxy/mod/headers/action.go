package headers

import (
	"strings"

	"balancerd/proxy/exchange"
)

// action is what a directive does to a field.
type action uint8

const (
	unknown action = iota
	add
	set
	setIfEmpty
	appendTo
	merge
	unset
	echo
	note
	editOnce
	editAll
)

// actions are their words.
var actions = []struct {
	word string
	act  action
}{{"set", set}, {"setifempty", setIfEmpty}, {"add", add}, {"append", appendTo}, {"merge", merge}, {"unset", unset},
	{"echo", echo}, {"edit", editOnce}, {"edit*", editAll}, {"note", note}}

func actionOf(word string) action {
	for _, a := range actions {
		if exchange.EqualFold(a.word, word) {
			return a.act
		}
	}
	return unknown
}

// apply does it.
func (e *edit) apply(t *target) {
	switch e.act {
	case add:
		t.h.Add(e.name, e.value.text(t.x))
	case set:
		e.set(t)
	case setIfEmpty:
		if !t.h.Has(e.name) {
			e.set(t)
		}
	case appendTo:
		t.x.AppendTo(t.h, e.name, e.value.text(t.x))
	case merge:
		e.merge(t)
	case unset:
		t.h.Del(e.name)
		if e.isType {
			t.ct = ""
		}
	case echo:
		e.echo(t)
	case note:
		e.note(t)
	case editOnce, editAll:
		e.edit(t)
	}
}

func (e *edit) set(t *target) {
	v := e.value.text(t.x)
	t.h.Set(e.name, v)
	if e.isType {
		t.ct = v
	}
}

// merge appends what is not in the list already.
func (e *edit) merge(t *target) {
	v := e.value.text(t.x)
	if old, ok := t.h.Lookup(e.name); !ok || !listed(old, v) {
		t.x.AppendTo(t.h, e.name, v)
	}
}

// listed reports whether a list with commas has an element. Unlike exchange.Lists it compares case by case, and blanks
// behind an element belong to it, because merge does so (httpd: mod_headers.c do_headers_fixup); commas in quotes do not
// count.
func listed(list, element string) bool {
	for list != "" {
		list = strings.TrimLeft(list, " \t\n\v\f\r")
		end := elementEnd(list)
		if list[:end] == element {
			return true
		}
		list = list[min(end+1, len(list)):]
	}
	return false
}

func elementEnd(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return i
		}
	}
	return len(s)
}

// echo copies the request's fields whose name matches, always to the response's ordinary ones.
func (e *edit) echo(t *target) {
	for i := range t.x.Req.Header.F {
		f := t.x.Req.Header.F[i]
		ok, err := e.re.Match(f.Name)
		if err != nil {
			e.giveUp(t.x, err)
		}
		if ok {
			t.x.Res.Header.Add(f.Name, f.Value)
		}
	}
}

// note keeps the field's value under the name that the value makes.
func (e *edit) note(t *target) {
	name := e.value.text(t.x)
	if v, ok := t.h.Lookup(e.name); ok {
		t.x.Notes.Set(name, v)
	} else {
		t.x.Notes.Unset(name)
	}
}

// edit replaces matches in each field of that name; the fields then stand at the end, changed or not.
func (e *edit) edit(t *target) {
	if e.isType && t.ct != "" {
		t.ct = e.replace(t.x, t.ct)
	}
	h, end := t.h, len(t.h.F)
	for i := range end {
		if f := h.F[i]; f.Is(e.name) {
			f.Value = e.replace(t.x, f.Value)
			h.F = append(h.F, f)
		}
	}
	if len(h.F) == end {
		return
	}
	n := 0
	for i := range h.F {
		if i < end && h.F[i].Is(e.name) {
			continue
		}
		h.F[n] = h.F[i]
		n++
	}
	clear(h.F[n:])
	h.F = h.F[:n]
}

// replace is a value with the first match, or all, replaced. After each match the rest is looked at as
// a value of its own, so that ^ matches there, too (httpd: mod_headers.c process_regexp). httpd would
// find an empty match again and again; here the search goes on one character later.
func (e *edit) replace(x *exchange.Exchange, v string) string {
	var few [20]int
	loc, ok := e.find(x, v, few[:0])
	if !ok {
		return v
	}
	template := e.value.text(x)
	out := x.Arena.Scratch(len(v) + len(template) + 64)
	for ok {
		out = append(out, v[:loc[0]]...)
		out = e.re.Expand(out, template, v, loc)
		empty := loc[0] == loc[1]
		v = v[loc[1]:]
		if e.act == editOnce || v == "" {
			break
		}
		if empty {
			out = append(out, v[0])
			v = v[1:]
		}
		loc, ok = e.find(x, v, few[:0])
	}
	return x.Arena.Keep(append(out, v...))
}

// find is the pattern's next match. One that gives up is none, and the exchange knows.
func (e *edit) find(x *exchange.Exchange, v string, loc []int) ([]int, bool) {
	loc, ok, err := e.re.Find(v, loc)
	if err != nil {
		e.giveUp(x, err)
	}
	return loc, ok
}

func (e *edit) giveUp(x *exchange.Exchange, err error) {
	x.GiveUp("headers", "Header "+e.name+" "+e.re.String(), err)
}
