package sed

// The bounds of a script (httpd: modules/filters/sed.h, libsed.h). The size of its commands is counted as httpd keeps them.
const (
	mostText    = 10000 // bytes of all commands
	mostLine    = 1000  // bytes of a directive's commands
	mostLines   = 256   // addresses that are numbers
	mostLabels  = 48
	mostLabel   = 7 // bytes of a label
	mostFiles   = 11
	mostDepth   = 20 // of { in one another
	mostSuffix  = 512
	mostAppends = 20      // files that one line queues
	mostSpace   = 8 << 20 // bytes of the pattern space, and of the hold space
	endOfScript = -1      // where a jump leads that names no command
	allMatches  = -1      // the suffix g
)

// script is what the directives of a scope say, one behind the other. It is written while a configuration is loaded.
type script struct {
	given    bool // a directive was there
	commands []command
	quiet    bool     // #n: a line is not printed by itself
	files    []string // that w writes
	labels   []label
	blocks   []int   // the { that are not closed yet
	unnamed  int     // the last b or t without a label, +1
	last     address // what an empty expression stands for
	numbers  int     // addresses that are numbers so far
	exprs    int     // expressions so far
	size     int     // bytes of what was compiled so far
}

// command is one command of a script.
type command struct {
	do      func(*machine, *command) error
	first   address
	second  address
	negated bool // it is for lines that the addresses do not select

	re     *expr // of s
	to     []part
	nth    int // which match is replaced: 0 for the first alone, allMatches
	print  byte
	file   int // of w and s: an index of files, or -1
	table  *[256]byte
	path   string // of r
	branch int    // of b, t and {: the command that follows
}

// part is one of a replacement: a text, a group of what was found, or all of that.
type part struct {
	text  []byte
	group int // from 1 on; 0: none
	found bool
}

// addressKind says what an address looks at.
type addressKind uint8

const (
	noAddress addressKind = iota
	lineNumber
	lastLine
	expression
)

// address selects lines.
type address struct {
	kind   addressKind
	number int64
	re     *expr
}

// expr is the expression of an address when it stands for that of an s. One that is none finds nothing at the line's
// beginning, as what httpd has in its place does.
func (a *address) expr() *expr {
	if a.kind == expression {
		return a.re
	}
	return &expr{anchored: true}
}

// label is a place in a script, and the branches to it from commands in front of it.
type label struct {
	name    string
	defined bool
	at      int
	waiting []int
}

// unfinished says what a script lacks, "" for nothing. httpd finds out when a body passes (httpd: sed0.c
// sed_get_finalize_error).
func (s *script) unfinished() string {
	if len(s.blocks) > 0 {
		return "too many {'s"
	}
	for i := range s.labels {
		if !s.labels[i].defined {
			return "undefined label: " + s.labels[i].name
		}
	}
	return ""
}

func (s *script) label(name string) *label {
	for i := range s.labels {
		if s.labels[i].name == name {
			return &s.labels[i]
		}
	}
	return nil
}
