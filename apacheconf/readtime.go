package apacheconf

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// readTimeDirective is one that takes effect while the text is read (httpd: EXEC_ON_READ).
type readTimeDirective struct {
	module string // the source file of the module that has it; "" is always there
	do     func(r *reader, c *cursor, g *Group, args string) error
}

// readTime finds them by their lower-case names.
func readTime(name string) (d readTimeDirective, ok bool) {
	switch name {
	case "define":
		d.do = (*reader).doDefine
	case "undefine":
		d.do = (*reader).doUnDefine
	case "serverroot":
		d.do = (*reader).doServerRoot
	case "defaultruntimedir":
		d.do = (*reader).doRuntimeDir
	case "include", "includeoptional":
		d.do = (*reader).doInclude
	case "loadmodule":
		d.do = (*reader).doLoadModule
	case "loadfile":
		d.do = (*reader).doLoadFile
	case "<ifdefine", "<ifmodule", "<iffile", "<ifdirective", "<ifsection":
		d.do = (*reader).doIf
	case "<ifversion":
		d.module, d.do = "mod_version.c", (*reader).doIf
	case "<macro":
		d.module, d.do = "mod_macro.c", (*reader).doMacro
	case "use":
		d.module, d.do = "mod_macro.c", (*reader).doUse
	case "undefmacro":
		d.module, d.do = "mod_macro.c", (*reader).doUndefMacro
	}
	return d, d.do != nil
}

func msg(text string) error { return errors.New(text) }

func itoa(n int) string { return strconv.Itoa(n) }

// one is the single word that a directive takes.
func one(name, args, hint string) (string, error) {
	w := Words(args)
	if len(w) != 1 || w[0] == "" {
		return "", msg(name + " takes one argument, " + hint)
	}
	return w[0], nil
}

func (r *reader) doDefine(c *cursor, g *Group, args string) error {
	w := Words(args)
	if len(w) < 1 || len(w) > 2 || w[0] == "" {
		return msg(g.Name + " takes 1-2 arguments, Define a variable, optionally to a value.  Same as passing -D to the command line.")
	}
	if strings.Contains(w[0], ":") {
		return msg("Variable name must not contain ':'")
	}
	if len(w) == 2 && w[1] != "" { // an empty word is none (httpd: config.c invoke_cmd, TAKE12)
		r.define(w[0], w[1], true)
	} else {
		r.define(w[0], "", false)
	}
	return nil
}

func (r *reader) doUnDefine(c *cursor, g *Group, args string) error {
	name, err := one(g.Name, args, "Undefine the existence of a variable. Undo a Define.")
	if err != nil {
		return err
	}
	if strings.Contains(name, ":") {
		return msg("Variable name must not contain ':'")
	}
	r.undefine(name)
	return nil
}

func (r *reader) doServerRoot(c *cursor, g *Group, args string) error {
	dir, err := one(g.Name, args, "Common directory of server-related files (logs, confs, etc.)")
	if err != nil {
		return err
	}
	if !isDir(absolute(r.tree.ServerRoot, dir)) {
		return msg("ServerRoot must be a valid directory")
	}
	r.tree.ServerRoot = absolute(r.tree.ServerRoot, dir)
	return nil
}

func (r *reader) doRuntimeDir(c *cursor, g *Group, args string) error {
	dir, err := one(g.Name, args, "Common directory for run-time files (shared memory, locks, etc.)")
	if err != nil {
		return err
	}
	if !isDir(absolute(r.tree.ServerRoot, dir)) {
		return msg("DefaultRuntimeDir must be a valid directory, absolute or relative to ServerRoot")
	}
	r.tree.RuntimeDir = absolute(r.tree.ServerRoot, dir)
	return nil
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// doLoadModule marks a module as there; its file is not needed. A module that we know nothing of is
// taken by its name when its file exists (httpd: mod_so.c load_module).
func (r *reader) doLoadModule(c *cursor, g *Group, args string) error {
	w := Words(args)
	if len(w) != 2 || w[0] == "" || w[1] == "" {
		return msg(g.Name + " takes two arguments, a module name and the name of a shared object file to load it from")
	}
	ident, file := w[0], w[1]
	known, builtin := false, false
	if r.o.Modules != nil {
		_, builtin, known = r.o.Modules.Source(ident)
	}
	again := r.tree.Loads(ident)
	r.tree.LoadModules = append(r.tree.LoadModules, Load{Ident: ident, Pos: g.Pos})
	if r.loaded[ident] {
		if again && !builtin {
			r.warnOf("so", g.Pos, "AH01574: module "+ident+" is already loaded, skipping")
		}
		return nil
	}
	if !known {
		path := absolute(r.tree.ServerRoot, file)
		if _, err := os.Stat(path); err != nil {
			return cannotLoad(r.tree.ServerRoot, file, err)
		}
		r.tree.Unknown = append(r.tree.Unknown, Load{Ident: ident, Pos: g.Pos})
	}
	r.markLoaded(ident)
	r.tree.Loaded = append(r.tree.Loaded, ident)
	return nil
}

// doLoadFile loads nothing, and looks whether the files are there (httpd: mod_so.c load_file).
func (r *reader) doLoadFile(c *cursor, g *Group, args string) error {
	words := Words(args)
	if len(words) == 0 {
		return msg(g.Name + " requires at least one argument, shared object file or library to load into the server at runtime")
	}
	for _, file := range words {
		if _, err := os.Stat(absolute(r.tree.ServerRoot, file)); err != nil && !inLibraryPath(file) {
			return cannotLoad(r.tree.ServerRoot, file, err)
		}
	}
	return nil
}

// libraryFolders are where the system's loader looks, as patterns; LD_LIBRARY_PATH comes before them.
var libraryFolders = []string{"/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/lib/*-linux-*", "/usr/lib/*-linux-*"}

// inLibraryPath reports whether the loader finds a bare name.
func inLibraryPath(file string) bool {
	if strings.Contains(file, "/") {
		return false
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("LD_LIBRARY_PATH")), libraryFolders...) {
		if found, _ := filepath.Glob(filepath.Join(dir, file)); len(found) > 0 {
			return true
		}
	}
	return false
}

// cannotLoad is the error of a shared object that is not there; a bare name was looked for along the
// library path at last.
func cannotLoad(root, file string, err error) error {
	path := absolute(root, file)
	if !strings.Contains(file, "/") {
		path = file
	}
	return msg("Cannot load " + file + " into server: " + path + ": cannot open shared object file: " + errnoWords(err))
}
