package directive

import (
	"errors"
	"path"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/pattern"
)

// sectionKinds are the sections that make a scope of their own.
var sectionKinds = map[string]Where{
	"<virtualhost": VHost, "<directory": Directory, "<directorymatch": Directory, "<location": Location, "<locationmatch": Location,
	"<files": Files, "<filesmatch": Files, "<proxy": Proxy, "<proxymatch": Proxy, "<if": If, "<elseif": If, "<else": If,
}

func isLimit(name string) bool {
	return strings.EqualFold(name, "<Limit") || strings.EqualFold(name, "<LimitExcept")
}

// forbidden are the surroundings that a section refuses although its context column allows them
// (httpd: core.c's calls of ap_check_cmd_context).
var forbidden = map[string]Where{
	"<virtualhost": VHost | Limit | Dir, "<directory": Dir | Limit, "<directorymatch": Dir | Limit, "<location": Dir | Limit, "<locationmatch": Dir | Limit,
	"<files": Location | Limit, "<filesmatch": Location | Limit, "<if": Limit, "<elseif": Limit, "<else": Limit, "<proxy": Dir | Limit, "<proxymatch": Dir | Limit,
}

// OpenSection makes the scope of one of httpd's own sections: it checks where it stands, takes its
// argument apart, and adds it to its parent.
func OpenSection(s *Scope, a Args) (*Scope, error) {
	low := strings.ToLower(a.Name)
	if err := a.Forbid(s, forbidden[low]); err != nil {
		return nil, err
	}
	arg, err := Argument(a)
	if err != nil {
		return nil, err
	}
	if isLimit(a.Name) {
		return openLimit(s, a, arg)
	}
	kind := sectionKinds[low]
	child := newScope(kind, s.real(), s.Config)
	child.Tag, child.Pos = a.Name[1:], a.Pos
	if err := child.argument(low, arg); err != nil {
		return nil, err
	}
	p := s.real()
	child.after = func() error { return child.finish(p, low) }
	if kind == VHost {
		child.Arg = arg
		s.Config.VHosts = append(s.Config.VHosts, child)
	}
	p.Children = append(p.Children, child)
	return child, nil
}

// Argument is a section's argument: all up to the last ">".
func Argument(a Args) (string, error) {
	end := strings.LastIndexByte(a.Raw, '>')
	if end < 0 {
		return "", errors.New(a.Name + "> directive missing closing '>'")
	}
	arg := strings.Trim(a.Raw[:end], " \t\n\v\f\r")
	switch low := strings.ToLower(a.Name); {
	case low == "<else" && arg != "":
		return "", errors.New("<Else> does not take an argument")
	case low == "<else", low == "<proxy", low == "<proxymatch":
	case arg == "":
		return "", errors.New(a.Name + "> directive requires additional arguments")
	}
	return arg, nil
}

// argument takes the first word, "~" before a regular expression, and what follows.
func (c *Scope) argument(low, arg string) error {
	c.Arg, c.More = apacheconf.Word(arg)
	c.Regex = strings.HasSuffix(low, "match")
	if c.Arg == "~" && (!c.Regex || c.Kind == Directory) && c.Kind != If && c.Kind != VHost && c.Kind != Proxy {
		c.Regex = true
		c.Arg, c.More = apacheconf.Word(c.More)
	}
	if c.Kind == Directory && !c.Regex && c.Arg != "" {
		c.Arg = path.Clean(c.Arg) // httpd: core.c dirsection, by apr_filepath_merge
	}
	if c.Regex {
		if _, err := pattern.Compile(c.Arg, pattern.Options{}); err != nil {
			return errors.New("Regex could not be compiled")
		}
	}
	return nil
}

// finish is what httpd checks behind a section's contents, so that an error in them comes first.
func (c *Scope) finish(parent *Scope, low string) error {
	switch {
	case c.More == "" || c.Kind == VHost || c.Kind == Proxy:
	case c.Kind == If:
		return errors.New("Multiple <" + c.Tag + "> arguments not supported.")
	default:
		return errors.New("Multiple <" + c.Tag + "> arguments not (yet) supported.")
	}
	if c.Kind == If {
		return followsIf(parent, c, low)
	}
	return nil
}

// followsIf: an <ElseIf> or <Else> continues the <If> or <ElseIf> before it in the same scope.
func followsIf(s, child *Scope, low string) error {
	if low != "<if" && s.lastIf == nil {
		return errors.New("<Else> or <ElseIf> section without previous <If> or <ElseIf> section in same scope")
	}
	s.lastIf = child
	if low == "<else" {
		s.lastIf = nil
	}
	return nil
}

// places are what a directive can be forbidden in, in the order in which httpd looks.
var places = []struct {
	kinds Where // all of which must be forbidden
	in    func(*Scope) bool
	name  string
}{
	{VHost, func(s *Scope) bool { return s.Server.Kind == VHost }, "<VirtualHost> section"},
	{Limit, (*Scope).limited, "<Limit> or <LimitExcept> section"},
	{Dir | VHost, func(s *Scope) bool { return s.Kind&Dir != 0 }, "directory context"},
}

// surroundings are the sections that a directive can be forbidden in, at any depth, in the order in which httpd looks.
var surroundings = []struct {
	kinds Where // one of which must be forbidden
	tag   string
}{
	{Directory, "Directory"}, {Directory, "DirectoryMatch"}, {Location, "Location"}, {Location, "LocationMatch"},
	{Files, "Files"}, {Files, "FilesMatch"}, {Files | If, "If"}, {Files | If, "ElseIf"}, {Files | If, "Else"}, {Proxy, "Proxy"}, {Proxy, "ProxyMatch"},
}

// Forbid is httpd's finer check of a directive's place: an error when it stands in a virtual host, a
// <Limit>, or anywhere inside one of the kinds of section (httpd: core.c ap_check_cmd_context).
func (a Args) Forbid(s *Scope, kinds Where) error {
	for _, p := range places {
		if kinds&p.kinds == p.kinds && p.in(s) {
			return a.outOfPlace(p.name)
		}
	}
	for _, sur := range surroundings {
		if kinds&sur.kinds == 0 {
			continue
		}
		if in := s.within(sur.tag); in != nil {
			return a.outOfPlace("<" + in.Tag + "> section")
		}
	}
	return nil
}

func (a Args) outOfPlace(where string) error {
	name := a.Name
	if strings.HasPrefix(name, "<") {
		name += ">"
	}
	return errors.New(name + " cannot occur within " + where)
}

// within is the innermost section of a name around the scope, or the scope itself; nil when there is none.
func (s *Scope) within(tag string) *Scope {
	for p := s; p != nil; p = p.Parent {
		if strings.EqualFold(p.Tag, tag) {
			return p
		}
	}
	return nil
}

// Only is Forbid for a directive that belongs in the main server alone.
func (a Args) Only(s *Scope, kind Where) error {
	if kind == Main {
		return a.Forbid(s, VHost|Limit|Dir)
	}
	return a.Forbid(s, (Dir|Limit)&^kind)
}

func (s *Scope) limited() bool {
	for p := s; p != nil; p = p.Parent {
		if p.Limited != nil || p.Group != nil {
			return true
		}
	}
	return false
}
