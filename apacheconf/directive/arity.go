package directive

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
)

var takes = map[Arity]string{
	Take1: "one argument", Take2: "two arguments", Take3: "three arguments", Take12: "1-2 arguments",
	Take13: "one or three arguments", Take23: "two or three arguments", Take123: "one, two or three arguments",
}

// least and most words that the counted arities take.
var counts = map[Arity][2]int{Take1: {1, 1}, Take2: {2, 2}, Take3: {3, 3}, Take12: {1, 2}, Take13: {1, 3}, Take23: {2, 3}, Take123: {1, 3}}

func (k *known) usage(verb, what string) error {
	text := k.name + " " + verb + " " + what
	if k.hint != "" {
		text += ", " + k.hint
	}
	return errors.New(text)
}

// call splits the arguments by the directive's arity and calls set with them, once or once a word
// (httpd: config.c invoke_cmd).
func (k *known) call(a Args, set func(Args) error) error {
	switch k.arity {
	case Raw, NoArgs: // httpd's table says RAW_ARGS where its source says AP_INIT_NO_ARGS: words are ignored
		return set(a)
	case Flag:
		w, _ := apacheconf.Word(a.Raw)
		a.On = strings.EqualFold(w, "on")
		if !a.On && !strings.EqualFold(w, "off") {
			return errors.New(k.name + " must be On or Off")
		}
		a.Words = []string{w}
		return set(a)
	case Iterate:
		return k.each(a, set)
	case Iterate2:
		return k.pairs(a, set)
	case TakeArgv:
		a.Words = apacheconf.Words(a.Raw)
		return set(a)
	}
	return k.counted(a, set)
}

func (k *known) counted(a Args, set func(Args) error) error {
	w := apacheconf.Words(a.Raw)
	lo, hi := counts[k.arity][0], counts[k.arity][1]
	bad := len(w) < lo || len(w) > hi || k.arity == Take13 && len(w) == 2
	for i := 0; i < lo && i < len(w); i++ {
		bad = bad || w[i] == ""
	}
	if bad {
		return k.usage("takes", takes[k.arity])
	}
	for len(w) > lo && w[len(w)-1] == "" { // an optional word that is empty is none
		w = w[:len(w)-1]
	}
	a.Words = w
	return set(a)
}

func (k *known) each(a Args, set func(Args) error) error {
	w := apacheconf.Words(a.Raw)
	if len(w) == 0 || w[0] == "" {
		return k.usage("requires at least", "one argument")
	}
	for _, word := range w {
		if word == "" {
			break
		}
		a.Words = []string{word}
		if err := set(a); err != nil {
			return err
		}
	}
	return nil
}

func (k *known) pairs(a Args, set func(Args) error) error {
	w := apacheconf.Words(a.Raw)
	if len(w) < 2 || w[0] == "" {
		return k.usage("requires at least", "two arguments")
	}
	for _, word := range w[1:] {
		if word == "" {
			break
		}
		a.Words = []string{w[0], word}
		if err := set(a); err != nil {
			return err
		}
	}
	return nil
}
