package static

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// optionBits are Options' words.
type optionBits uint8

const (
	optIndexes optionBits = 1 << iota
	optIncludes
	optExecIncludes
	optLinks
	optCGI
	optOwner
	optMulti

	optAll = optIndexes | optIncludes | optExecIncludes | optLinks | optCGI
)

var optionWords = map[string]optionBits{
	"indexes": optIndexes, "includes": optIncludes | optExecIncludes, "includesnoexec": optIncludes, "followsymlinks": optLinks,
	"symlinksifownermatch": optOwner, "execcgi": optCGI, "multiviews": optMulti, "runscripts": optMulti | optCGI,
}

// options is Options in one scope: absolute, or a change to what holds outside.
type options struct {
	absolute          bool
	bits, add, remove optionBits
}

// defaultOptions is what holds where nobody said a thing.
var defaultOptions = options{bits: optLinks}

// over is o inside outer (httpd: core.c merge_core_dir_configs).
func (o options) over(outer options) options {
	if o.absolute {
		return o
	}
	m := options{absolute: outer.absolute, add: outer.add&^o.remove | o.add, remove: outer.remove&^o.add | o.remove}
	m.bits = outer.bits&^m.remove | m.add
	return m
}

// setOptions (httpd: core.c set_options).
func setOptions(s *directive.Scope, a directive.Args) error {
	o := &dirs.In(s).options
	first, relative, closed := true, false, false
	for _, word := range apacheconf.Words(a.Raw) {
		sign := byte(0)
		if word != "" && (word[0] == '+' || word[0] == '-') {
			sign, word = word[0], word[1:]
			if !relative && !first && !closed {
				return errMixedOptions
			}
			relative = true
		} else if first {
			o.absolute, o.bits = true, 0
		} else if relative {
			return errMixedOptions
		}
		bits, err := optionWord(word, first, relative)
		if err != nil {
			return err
		}
		if uint16(bits)&^s.Config.AllowedOptions() != 0 {
			return errors.New("Option " + word + " not allowed here")
		}
		closed = closed || strings.EqualFold(word, "None") || strings.EqualFold(word, "All")
		o.apply(sign, bits)
		first = false
	}
	if o.bits&(optIncludes|optCGI|optMulti|optIndexes) != 0 {
		s.Config.Hint(a, "of Options only FollowSymLinks and SymLinksIfOwnerMatch have an effect: no listings, no scripts, no includes, no negotiation")
	}
	return nil
}

var errMixedOptions = errors.New("Either all Options must start with + or -, or no Option may.")

func (o *options) apply(sign byte, bits optionBits) {
	switch sign {
	case '-':
		o.remove |= bits
		o.add &^= bits
		o.bits &^= bits
	case '+':
		o.add |= bits
		o.remove &^= bits
		o.bits |= bits
	default:
		o.bits |= bits
	}
}

func optionWord(word string, first, relative bool) (optionBits, error) {
	switch {
	case strings.EqualFold(word, "None") && !first:
		return 0, errors.New("'Options None' must be the first Option given.")
	case strings.EqualFold(word, "All") && !first:
		return 0, errors.New("'Options All' must be the first option given.")
	case strings.EqualFold(word, "None") && relative:
		return 0, errors.New("You may not use 'Options +None' or 'Options -None'.")
	case strings.EqualFold(word, "All") && relative:
		return 0, errors.New("You may not use 'Options +All' or 'Options -All'.")
	case strings.EqualFold(word, "None"):
		return 0, nil
	case strings.EqualFold(word, "All"):
		return optAll, nil
	}
	if bits, ok := optionWords[strings.ToLower(word)]; ok {
		return bits, nil
	}
	return 0, errors.New("Illegal option " + word)
}

// rule is what the options say of symbolic links.
func (o options) rule() linkRule {
	switch {
	case o.bits&optOwner != 0:
		return followOwner
	case o.bits&optLinks != 0:
		return followAlways
	}
	return followNever
}

// etagChoice is FileETag in one scope.
type etagChoice struct {
	absolute          bool
	bits, add, remove etagBits
}

func (e etagChoice) over(outer etagChoice) etagChoice {
	if e.absolute {
		return e
	}
	m := etagChoice{absolute: outer.absolute, add: outer.add&^e.remove | e.add, remove: outer.remove&^e.add | e.remove}
	m.bits = outer.bits&^m.remove | m.add
	return m
}

// value is the bits to use. A change without anything absolute before it does not start from the
// default, as one would think: what is added stands alone, what is removed changes nothing
// (httpd: http_etag.c ap_make_etag_ex).
func (e etagChoice) value() etagBits {
	switch {
	case !e.absolute && e.add == 0:
		return etagDefault
	case !e.absolute:
		return e.add
	}
	v := e.bits&^e.remove | e.add
	if v != etagNone {
		v &^= etagNone
	}
	return v
}

var etagWords = map[string]etagBits{"none": etagNone, "all": etagAll, "size": etagSize, "lmtime": etagMTime, "mtime": etagMTime,
	"lastmodified": etagMTime, "inode": etagInode, "digest": etagDigest}

// setFileETag (httpd: core.c set_etag_bits).
func setFileETag(s *directive.Scope, a directive.Args) error {
	e, first := &dirs.In(s).etag, true
	for _, word := range apacheconf.Words(a.Raw) {
		sign := byte(0)
		if word != "" && (word[0] == '+' || word[0] == '-') {
			sign, word = word[0], word[1:]
		} else if first {
			*e, first = etagChoice{}, false
		}
		bit, ok := etagWords[strings.ToLower(word)]
		if !ok {
			return errors.New("Unknown keyword '" + word + "' for " + a.Name + " directive")
		}
		if sign != 0 && (bit == etagNone || bit == etagAll) {
			return errors.New(a.Name + " keyword '" + word + "' cannot be used with '+' or '-'")
		}
		e.apply(sign, bit)
	}
	return nil
}

func (e *etagChoice) apply(sign byte, bit etagBits) {
	switch sign {
	case '+':
		e.add |= bit
		e.remove &^= bit
	case '-':
		e.remove |= bit
		e.add &^= bit
	default:
		*e = etagChoice{absolute: true, bits: e.bits | bit}
	}
}
