package rewrite

import (
	"errors"
	"strings"
)

// arguments are the words of a RewriteRule or RewriteCond, whose syntax is their own: a quoted word ends at the next
// such quote, a backslash in front of a blank keeps the blank in the word and stays, what follows the third word is
// ignored.
type arguments struct {
	first, second, third string
	hasThird             bool
}

// split takes a line apart; ok is false when it has no second word (httpd: mod_rewrite.c parseargline).
func split(line string) (a arguments, ok bool) {
	var ended bool
	if a.first, line, ended = cutWord(line); !ended {
		return a, false
	}
	if a.second, line, ended = cutWord(line); !ended {
		return a, true
	}
	if line = strings.TrimLeft(line, blanks); line != "" {
		a.third, _, _ = cutWord(line)
		a.hasThird = true
	}
	return a, true
}

// blanks are what C's isspace knows.
const blanks = " \t\n\v\f\r"

func isBlank(c byte) bool { return strings.IndexByte(blanks, c) >= 0 }

// cutWord is the line's first word and what follows it. ended is false when the word goes on to the end of the line.
func cutWord(line string) (word, rest string, ended bool) {
	line = strings.TrimLeft(line, blanks)
	quote := byte(0)
	if line != "" && (line[0] == '"' || line[0] == '\'') {
		quote, line = line[0], line[1:]
	}
	for i := 0; i < len(line); i++ {
		switch {
		case quote == 0 && isBlank(line[i]), quote != 0 && line[i] == quote:
			return line[:i], line[i+1:], true
		case line[i] == '\\' && i+1 < len(line) && isBlank(line[i+1]):
			i++
		}
	}
	return line, "", false
}

// eachFlag calls set for each flag of a list, "[a,b=c]"; a flag without a value has "" (httpd: mod_rewrite.c
// cmd_parseflagfield).
func eachFlag(list string, set func(name, value string) error) error {
	if len(list) < 2 || list[0] != '[' || list[len(list)-1] != ']' {
		return errors.New("bad flag delimiters")
	}
	for rest, more := list[1:len(list)-1], true; more; {
		var flag string
		if flag, rest, more = strings.Cut(rest, ","); !more && strings.TrimLeft(flag, blanks) == "" && flag != "" {
			return nil // blanks behind the last comma
		}
		name, value, _ := strings.Cut(strings.Trim(flag, blanks), "=")
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

func unknownFlag(name string) error { return errors.New("unknown flag '" + name + "'") }
