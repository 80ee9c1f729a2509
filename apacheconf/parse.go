package apacheconf

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
)

// Options of ParseFile.
type Options struct {
	ServerRoot  string                      // -d, or the compiled default
	Defines     []string                    // -D names
	Before      []string                    // -C lines
	After       []string                    // -c lines
	Environ     func(string) (string, bool) // nil: the process's environment
	Modules     ModuleSet                   // which modules there are; nil: none
	DefaultFile bool                        // no -f was given: the file may be missing when -C or -c say something
	// Assumed are the identifiers of modules that count as loaded in a configuration that is plainly a part of
	// one, see Tree.Partial; none: no configuration is taken as a part.
	Assumed []string
}

// ModuleSet is what the reading must know of modules; the directive package's table is one.
type ModuleSet interface {
	// Source is the source file of a module by its LoadModule identifier, and whether it is always there.
	Source(ident string) (source string, builtin, ok bool)
	// Provider is the source file of the module that has a directive ("ProxyPass", "<Location"), any case.
	Provider(directive string) (source string, ok bool)
	// Builtins are the identifiers of the modules that are always there, in order.
	Builtins() []string
}

// ParseFile reads a configuration: httpd's first phase. The error is an *Error; the tree has the
// warnings that came before it, and nothing else of use.
func ParseFile(name string, o Options) (*Tree, error) {
	whole, err := parseFile(newReader(o), name)
	if len(o.Assumed) == 0 || whole.complete() {
		return whole, err
	}
	r := newReader(o)
	r.assume()
	part, perr := parseFile(r, name)
	if part.complete() { // the first reading ended in front of what loads the modules
		return whole, err
	}
	return part, perr
}

// complete reports whether a tree loads what each httpd with loadable modules needs.
func (t *Tree) complete() bool {
	return slices.ContainsFunc(t.LoadModules, func(l Load) bool {
		return strings.HasPrefix(l.Ident, "mpm_") || l.Ident == "unixd_module" || l.Ident == "authz_core_module"
	})
}

// Loads reports whether there is a LoadModule line of a module.
func (t *Tree) Loads(ident string) bool {
	return slices.ContainsFunc(t.LoadModules, func(l Load) bool { return l.Ident == ident })
}

func parseFile(r *reader, name string) (*Tree, error) {
	o := r.o
	r.tree.File = absolute(r.tree.ServerRoot, name)
	for _, step := range []func() error{
		func() error { return r.commandLine(o.Before) },
		func() error { return r.mainFile(o) },
		r.checkMPM,
		func() error { return r.commandLine(o.After) },
	} {
		if err := step(); err != nil {
			return r.tree, err
		}
	}
	r.finish()
	return r.tree, nil
}

// ParseText reads a text as if it were a file of that name: for tests and editors.
func ParseText(name, text string, o Options) (*Tree, error) {
	r := newReader(o)
	r.tree.File = name
	nodes, err := r.text(name, text)
	if err != nil {
		return r.tree, err
	}
	r.tree.Nodes = nodes
	r.finish()
	return r.tree, nil
}

func (r *reader) commandLine(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	var text strings.Builder
	for _, l := range lines { // each is one line, whatever it holds, and none goes on in the next
		text.WriteString(strings.ReplaceAll(l, "\n", " ") + " \n")
	}
	nodes, err := r.text(commandLine, text.String())
	r.tree.Nodes = append(r.tree.Nodes, nodes...)
	return err
}

func (r *reader) mainFile(o Options) error {
	text, err := readConfig(r.tree.File)
	if err != nil {
		if err == syscall.EBADF {
			r.tree.Warnings = append(r.tree.Warnings, Warning{Module: "core", Level: "error",
				Msg: "AH00554: Access to file " + r.tree.File + " denied by server: not a regular file"})
		}
		if o.DefaultFile && len(o.Before)+len(o.After) > 0 && errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return &Error{Msg: couldNotOpen(r.tree.File, err), Phase: Reading}
	}
	r.tree.Includes = append(r.tree.Includes, Include{File: r.tree.File})
	nodes, err := r.text(r.tree.File, text)
	r.tree.Nodes = append(r.tree.Nodes, nodes...)
	return err
}

// checkMPM: two different process managers can't both be loaded; one is always there.
func (r *reader) checkMPM() error {
	n := 0
	for _, m := range r.tree.Loaded {
		if strings.HasPrefix(m, "mpm_") {
			n++
		}
	}
	if n > 1 {
		return &Error{Phase: Opening, Msg: "AH00534: " + Program() + ": Configuration error: More than one MPM loaded."}
	}
	return nil
}

func couldNotOpen(name string, err error) string {
	return "Could not open configuration file " + name + ": " + errnoWords(err)
}

func readConfig(name string) (string, error) {
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() && st.Mode().IsDir() {
		return "", syscall.EBADF
	}
	b, err := os.ReadFile(name)
	return string(b), err
}

// errnoWords is the C library's words for an operating system's error.
func errnoWords(err error) string {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return err.Error()
	}
	s := no.Error()
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return string(s[0]-32) + s[1:]
	}
	return s
}
