package directive

import (
	"strings"

	"balancerd/apacheconf"
)

// Where is a kind of scope, or several.
type Where uint16

// The kinds of scopes.
const (
	Main Where = 1 << iota
	VHost
	Directory
	Location
	Files
	If
	Proxy
	Limit // a <Limit> or <LimitExcept> around the directive

	Server = Main | VHost
	Dir    = Directory | Location | Files | If | Proxy
)

// Arity is how many words a directive takes (httpd: http_config.h enum cmd_how).
type Arity uint8

// The arities.
const (
	Raw Arity = iota
	NoArgs
	Take1
	Take2
	Take3
	Take12
	Take13
	Take23
	Take123
	Iterate
	Iterate2
	Flag
	TakeArgv
)

var arities = map[string]Arity{
	"RAW_ARGS": Raw, "NO_ARGS": NoArgs, "TAKE1": Take1, "TAKE2": Take2, "TAKE3": Take3, "TAKE12": Take12, "TAKE13": Take13,
	"TAKE23": Take23, "TAKE123": Take123, "ITERATE": Iterate, "ITERATE2": Iterate2, "FLAG": Flag, "TAKE_ARGV": TakeArgv,
}

// Args is what one directive was given.
type Args struct {
	Name  string   // as httpd registers it, for messages
	Words []string // by the directive's arity; missing optional words are left out
	Raw   string   // the whole text
	On    bool     // of a Flag
	Pos   apacheconf.Pos

	in *Scope
}

// Entry says how a module obeys a directive, or what follows from ignoring it. Arity and contexts come from httpd's own table.
type Entry struct {
	Name string
	// Set notes the setting. Its error is the message alone; Bind adds the place. Of an Iterate it is
	// called once a word, of an Iterate2 once a pair.
	Set func(s *Scope, a Args) error
	// Open makes the scope of a section's contents; OpenSection makes the usual one.
	Open func(s *Scope, a Args) (*Scope, error)
	// Close is called when the contents of a section were read, for what httpd does only then.
	Close   func(child *Scope, a Args) error
	Help    string
	Partial string // what of it has no effect; becomes a hint
	File    FileUse
	Process bool // about the process itself: the main process obeys it, too
	// Ignored is not nil for a directive that the module knows but does not obey. Such a row has nothing else.
	Ignored *Ignored
}

// Table is the directives of a module: those that it obeys, and those that it checks and ignores.
type Table []Entry

// Module is a module's name in httpd ("mod_proxy.c") and its table.
type Module struct {
	Name  string
	Table Table
}

// known is one line of httpd.tsv.
type known struct {
	name     string // as registered
	module   string
	also     string // another module that has it too; "" for none
	alsoHint string // that module's hint
	arity    Arity
	where    Where
	htdoc    string // the override that .htaccess needs, "" for none
	override Class  // the same
	hint     string
}

func parseKnown(line string) known {
	f := strings.SplitN(line, "\t", 5)
	contexts, ht, _ := strings.Cut(f[3], " +ht(")
	k := known{module: f[0], name: f[1], arity: arities[f[2]], htdoc: strings.TrimSuffix(ht, ")"), hint: f[4]}
	k.override = parseClasses(k.htdoc)
	for _, c := range strings.Split(contexts, "+") {
		switch c {
		case "main":
			k.where |= Main
		case "vhost":
			k.where |= VHost
		case "dir":
			k.where |= Dir
		}
	}
	if strings.HasPrefix(k.name, "SSLProxy") {
		k.where |= Proxy // httpd: PROXY_CONF
	}
	return k
}
