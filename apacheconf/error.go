package apacheconf

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Pos is where a directive stands: a file and the last physical line of it.
type Pos struct {
	File string
	Line int
}

// String is "file:line".
func (p Pos) String() string { return p.File + ":" + strconv.Itoa(p.Line) }

// Phase is when an error was found: it decides how httpd words it.
type Phase uint8

// The phases of a load.
const (
	Reading Phase = 1 + iota // lines, sections, variables, inclusions: one line of message
	Walking                  // what directives say: AH00526 and a line of its own
	Opening                  // after all were read: the message stands alone
)

// Error is what is wrong with a configuration. Only the first is reported, as httpd does.
type Error struct {
	Pos   Pos // no File: of no place in particular
	Msg   string
	Phase Phase
	Hint  string // help of ours, without "hint: "
}

// Error is the message with the program's name in front, as on standard error.
func (e *Error) Error() string { return e.Text(Program()) }

// Text is what httpd prints, in one or two lines, and our hint as another.
func (e *Error) Text(program string) string {
	var out string
	switch {
	case e.Phase == Walking:
		out = fmt.Sprintf("AH00526: Syntax error on line %d of %s:\n%s", e.Pos.Line, Escape(e.Pos.File), Escape(e.Msg))
	case e.Phase == Opening:
		out = e.Msg
	case e.Pos.File == commandLine:
		out = program + ": Syntax error in -C/-c directive: " + Escape(e.Msg)
	case e.Pos.File != "":
		out = program + ": " + syntaxError(e.Pos, Escape(e.Msg))
	default:
		out = program + ": " + Escape(e.Msg)
	}
	if e.Hint != "" {
		out += "\nhint: " + e.Hint
	}
	return out
}

func syntaxError(p Pos, msg string) string {
	return fmt.Sprintf("Syntax error on line %d of %s: %s", p.Line, p.File, msg)
}

// Fatal is returned by a directive whose failure ends the load with its own words and no place
// (User, Group).
type Fatal struct{ Message string }

func (e *Fatal) Error() string { return e.Message }

// Program is the name that messages begin with: the last part of the command's own name.
func Program() string { return filepath.Base(os.Args[0]) }

// commandLine is the name of the pseudo file that -C and -c make.
const commandLine = "-c/-C directives"

// Warning is something odd that does not stop a load.
type Warning struct {
	Pos    Pos
	Module string // "core"; "" for a message without one
	Level  string // "warn"
	Msg    string // with its AH number
}

// Escape makes a message safe for a log, as httpd does: control characters and bytes beyond ASCII as
// \xHH, line ends and tabs as \n and \t, a backslash doubled (httpd: util.c ap_escape_errorlog_item).
func Escape(msg string) string {
	clean := true
	for i := 0; i < len(msg); i++ {
		if c := msg[i]; c < 0x20 || c >= 0x7f || c == '\\' || c == '"' {
			clean = false
			break
		}
	}
	if clean {
		return msg
	}
	var b strings.Builder
	for i := 0; i < len(msg); i++ {
		switch c := msg[i]; {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\b':
			b.WriteString(`\b`)
		case c == '\v':
			b.WriteString(`\v`)
		case c == '\\':
			b.WriteString(`\\`)
		case c == '"':
			b.WriteString(`"`)
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
