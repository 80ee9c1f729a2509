package directive

import (
	"strings"

	"balancerd/apacheconf"
)

// Ignored is what follows from having no effect: it is in the row of a directive that is known, and whose place and
// words are checked, but that does nothing here. Nothing is swallowed: each use becomes a hint, or stops the start.
type Ignored struct {
	// Check looks at the words as far as httpd does, with httpd's message; nil: only their number counts.
	Check func(*Scope, Args) error
	// Closes reports whether ignoring these words would open something that they shut: the start is refused. nil: never.
	Closes func(words []string) bool
	Main   bool // only the main server may have it
	Tuning bool // it is about processes, buffers and the like, which are not needed here
	Quiet  bool // it rightly does nothing: there is no hint
}

// nothing is Ignored of a directive that has no row.
var nothing Ignored

// ignore checks a directive that has no effect as far as httpd would, and notes what follows from ignoring it.
func (b *binder) ignore(s *Scope, k *known, a Args, e *Entry) error {
	i := &nothing
	if e != nil && e.Ignored != nil {
		i = e.Ignored
	}
	if i.Main || k.module == "event.c" {
		if err := a.Only(s, Main); err != nil {
			return err
		}
	}
	err := k.call(a, func(a Args) error {
		if i.Check == nil {
			return nil
		}
		return i.Check(s, a)
	})
	if err != nil || i.Quiet {
		return err
	}
	b.config.note(hintOf(k, i, a))
	return nil
}

// hintOf says what ignoring a directive means.
func hintOf(k *known, i *Ignored, a Args) Hint {
	h := Hint{Pos: a.Pos, Name: k.name, Module: logName(k.module), Text: k.name + " has no effect here"}
	words := apacheconf.Words(a.Raw)
	switch {
	case i.Closes != nil && i.Closes(words):
		h.Refuse = true
		h.Text = k.name + " is not obeyed; to ignore it would open what it closes"
	case foreignBySource(k.module) != nil:
		f := foreignBySource(k.module)
		h.Text, h.Instead = f.text(k.name), f.instead
	case contentModules[k.module]:
		h.Text = k.name + " has no effect here: answers are passed on as they are"
	case i.Tuning || k.module == "event.c":
		h.Text, h.Effect = k.name+" has no effect here: it tunes processes and buffers that are not needed", Tuning
	}
	return h
}

// Always is Closes of a directive that shuts something whatever its words are.
func Always([]string) bool { return true }

// Unless is Closes of a directive that shuts something unless its first word is this one, in any case.
func Unless(word string) func([]string) bool {
	return func(w []string) bool { return len(w) == 0 || !strings.EqualFold(w[0], word) }
}

// With is Closes of a directive that shuts something only with this first word, in any case.
func With(word string) func([]string) bool {
	return func(w []string) bool { return len(w) > 0 && strings.EqualFold(w[0], word) }
}

// contentModules change what is sent: without them responses pass unchanged.
var contentModules = map[string]bool{
	"mod_include.c": true, "mod_ext_filter.c": true, "mod_charset_lite.c": true, "mod_usertrack.c": true, "mod_negotiation.c": true,
}
