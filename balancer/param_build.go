package balancer

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// The functions below make the lines of the tables that differ only in their field, their range and
// their complaint.

// intParam is an integer as atoi reads it, from lo to hi; standard is what it is when not set.
func intParam[S any](name string, field func(*S) *int, lo, hi, standard int, complaint, help string) Param[S] {
	bad := errors.New(complaint)
	return Param[S]{
		Name: name,
		Help: help,
		Set: func(s *S, value string, _ Env) error {
			n := atoi(value)
			if n < lo || n > hi {
				return bad
			}
			*field(s) = n
			return nil
		},
		Get: func(s *S) (string, bool) { return strconv.Itoa(*field(s)), *field(s) != standard },
	}
}

// sizeParam is a number of bytes that is 0, for standard, or at least lo.
func sizeParam(name string, field func(*WorkerSettings) *Opt[int], lo, standard int, complaint, help string) Param[WorkerSettings] {
	bad := errors.New(complaint)
	return Param[WorkerSettings]{
		Name: name,
		Help: help,
		Set: func(s *WorkerSettings, value string, _ Env) error {
			n := int(atol(value))
			if n < lo && n != 0 {
				return bad
			}
			if n == 0 {
				n = standard
			}
			*field(s) = Some(n)
			return nil
		},
		Get: func(s *WorkerSettings) (string, bool) { return strconv.Itoa(field(s).V), field(s).Set },
	}
}

// secondsParam is a number of seconds, at least lo.
func secondsParam[S any](name string, field func(*S) *Opt[time.Duration], lo int, complaint, help string) Param[S] {
	bad := errors.New(complaint)
	return Param[S]{
		Name: name,
		Help: help,
		Set: func(s *S, value string, _ Env) error {
			n := atoi(value)
			if n < lo {
				return bad
			}
			*field(s) = Some(time.Duration(n) * time.Second)
			return nil
		},
		Get: func(s *S) (string, bool) { return seconds(field(s).V), field(s).Set },
	}
}

// timeParam is a time of at least a millisecond, in unit when it names none.
func timeParam(name string, field func(*WorkerSettings) *Opt[time.Duration], unit, malformed, short, help string) Param[WorkerSettings] {
	badForm, tooShort := errors.New(malformed), errors.New(short)
	return Param[WorkerSettings]{
		Name: name,
		Help: help,
		Set: func(s *WorkerSettings, value string, _ Env) error {
			d, ok := parseTime(value, unit)
			if !ok {
				return badForm
			}
			if d < time.Millisecond {
				return tooShort
			}
			*field(s) = Some(d)
			return nil
		},
		Get: func(s *WorkerSettings) (string, bool) { return millis(field(s).V) + "ms", field(s).Set },
	}
}

// flagParam is On or Off; with opposite it sets the contrary.
func flagParam[S any](name string, field func(*S) *Opt[bool], opposite bool, complaint, help string) Param[S] {
	bad := errors.New(complaint)
	return Param[S]{
		Name: name,
		Help: help,
		Set: func(s *S, value string, _ Env) error {
			on, ok := onOff(value)
			if !ok {
				return bad
			}
			*field(s) = Some(on != opposite)
			return nil
		},
		Get: func(s *S) (string, bool) { return onOffText(field(s).V != opposite), field(s).Set },
	}
}

// textParam is a text shorter than size bytes.
func textParam[S any](name string, field func(*S) *string, size int, complaint, help string) Param[S] {
	bad := fmt.Errorf(complaint, size)
	return Param[S]{
		Name: name,
		Help: help,
		Set: func(s *S, value string, _ Env) error {
			if len(value) >= size {
				return bad
			}
			*field(s) = value
			return nil
		},
		Get: func(s *S) (string, bool) { return *field(s), *field(s) != "" },
	}
}

// editable makes p a field of the manager's form.
func (p Param[S]) editable(form, label string, set func(s *S, value string, e Env) bool) Param[S] {
	p.Form, p.Label, p.FormSet = form, label, set
	return p
}

// shown makes p's field show something else than its configuration text.
func (p Param[S]) shown(show func(s *S) string) Param[S] {
	p.Show = show
	return p
}

// formInt is a field that takes an integer from lo to hi and ignores others.
func formInt[S any](field func(*S) *int, lo, hi int) func(*S, string, Env) bool {
	return func(s *S, value string, _ Env) bool {
		n := atoi(value)
		if n < lo || n > hi {
			return false
		}
		*field(s) = n
		return true
	}
}

// formText is a field that takes a text shorter than size and is emptied by a longer one.
func formText[S any](field func(*S) *string, size int) func(*S, string, Env) bool {
	return func(s *S, value string, _ Env) bool {
		if len(value) >= size {
			value = ""
		}
		*field(s) = value
		return true
	}
}
