package directive

import (
	"errors"
	"strings"

	"balancerd/apacheconf"
)

// Class is a set of the classes of directives that AllowOverride names.
type Class uint8

// The classes.
const (
	ClassLimit Class = 1 << iota
	ClassOptions
	ClassFileInfo
	ClassAuthConfig
	ClassIndexes

	ClassAll = ClassLimit | ClassOptions | ClassFileInfo | ClassAuthConfig | ClassIndexes
)

var classes = map[string]Class{
	"any": ClassAll, "AuthConfig": ClassAuthConfig, "FileInfo": ClassFileInfo, "Indexes": ClassIndexes, "Limit": ClassLimit, "Options": ClassOptions,
}

// parseClasses takes the column of httpd's table: "AuthConfig or Limit".
func parseClasses(text string) (c Class) {
	for name := range strings.SplitSeq(text, " or ") {
		c |= classes[name]
	}
	return c
}

// Override is what an access file (.htaccess) may hold in one folder: what AllowOverride and AllowOverrideList say
// there. It is comparable: two that are equal allow the same.
type Override struct {
	Classes Class
	Unset   bool      // nobody said AllowOverride: files are read, and nothing may stand in them
	Options uint16    // the words that Options may have, as bits of the module that obeys Options
	List    *NameList // names that are allowed whatever their class; nil: none

	PassForbidden bool // Nonfatal=Override: what is not allowed is logged and passed over
	PassUnknown   bool // Nonfatal=Unknown
}

// NameList is the directives of an AllowOverrideList.
type NameList struct{ names map[string]bool }

// NewNameList takes names in any case of letters.
func NewNameList(names ...string) *NameList {
	l := &NameList{map[string]bool{}}
	for _, n := range names {
		l.names[strings.ToLower(n)] = true
	}
	return l
}

func (l *NameList) has(name string) bool { return l != nil && l.names[strings.ToLower(name)] }

// Reads reports whether access files are looked at (httpd: request.c ap_directory_walk).
func (o Override) Reads() bool {
	return o.Classes != 0 || o.Unset || o.PassForbidden || o.PassUnknown || o.List != nil && len(o.List.names) > 0
}

// mayHold reports whether a directive may stand in the file.
func (o *Override) mayHold(k *known) bool { return o.Classes&k.override != 0 || o.List.has(k.name) }

// MayStandInList reports whether AllowOverrideList may name a directive that is known.
func MayStandInList(name string) bool {
	k := catalog()[strings.ToLower(name)]
	return k != nil && k.where&Dir != 0
}

// AccessFile is an access file that was read: a folder's settings, as a <Directory> section's.
type AccessFile struct {
	Scope    *Scope
	Warnings []apacheconf.Warning
	Hints    []Hint
}

// ReadAccess makes settings of an access file's text, under the configuration of which c is the outcome. It changes
// nothing in c and may be called by several goroutines. folder has no slash at its end, but for the root. An error is
// httpd's message; what was noted before it is there all the same.
func (c *Config) ReadAccess(file, text, folder string, o Override) (*AccessFile, error) {
	own := *c
	own.Warnings, own.Hints, own.VHosts, own.access = nil, nil, nil, &o
	own.Files, own.OpenLog = OSFiles{}, nil // never with the main process's rights
	b := &binder{config: &own, rows: c.rows, meanings: map[string]*meaning{}}
	s := newScope(Directory, c.Main, &own)
	s.Arg, s.Pos = folder, apacheconf.Pos{File: file, Line: 1}
	err := b.access(s, file, text)
	return &AccessFile{Scope: s, Warnings: own.Warnings, Hints: own.Hints}, err
}

// access reads and binds the text.
func (b *binder) access(s *Scope, file, text string) error {
	c := b.config
	tree, err := apacheconf.ParseAccess(file, text, &apacheconf.Access{Tree: c.Tree, Loaded: c.loaded, Modules: Catalog{}, Allows: b.allowsReading})
	c.Warnings = append(c.Warnings, tree.Warnings...)
	if err == nil {
		err = b.nodes(s, tree.Nodes)
	}
	return bare(err)
}

// bare is an error without its place: an access file's has none.
func bare(err error) error {
	var e *apacheconf.Error
	if errors.As(err, &e) {
		return errors.New(e.Msg)
	}
	return err
}

// errPassed: a directive is passed over, as Nonfatal= says.
var errPassed = errors.New("passed over")

// allowsReading judges a directive that acts while the text is read.
func (b *binder) allowsReading(name string) (skip bool, err error) {
	k := catalog()[strings.ToLower(name)]
	if k == nil || strings.HasPrefix(k.module, "mod_macro") {
		return false, errors.New(name + " not allowed here")
	}
	err = b.admit(nil, k)
	if err == errPassed {
		return true, nil
	}
	return false, err
}

// admit is nil for a directive that may stand in the access file (httpd: config.c invoke_cmd).
func (b *binder) admit(s *Scope, k *known) error {
	o := b.config.access
	switch {
	case o.mayHold(k):
		return nil
	case o.PassForbidden:
		b.warnAccess("AH02295: " + k.name + " in .htaccess forbidden by AllowOverride")
		return errPassed
	}
	return notAllowed(s, k.name)
}

// passUnknown is errPassed where an unknown directive is passed over, else nil.
func (b *binder) passUnknown(name string) error {
	if o := b.config.access; o == nil || !o.PassUnknown {
		return nil
	}
	b.warnAccess("AH02296: Unknown directive " + strings.ToLower(name) + " perhaps misspelled or defined by a module not included in the server configuration")
	return errPassed
}

func (b *binder) warnAccess(text string) { b.config.Warn(apacheconf.Pos{}, "core", text) }

// notAllowed is the message for a directive in a place where it may not stand.
func notAllowed(s *Scope, name string) error {
	if s == nil || s.Tag == "" {
		return errors.New(name + " not allowed here")
	}
	return errors.New(name + " not allowed in <" + s.Tag + "> context")
}

// AllowedOptions is which words Options may have where the scope is; of a configuration's own text all.
func (c *Config) AllowedOptions() uint16 {
	if c.access == nil {
		return ^uint16(0)
	}
	return c.access.Options
}

// InAccessFile reports whether an access file is read, whose author is not trusted with all of the configuration.
func (c *Config) InAccessFile() bool { return c.access != nil }
