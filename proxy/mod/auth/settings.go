package auth

import (
	"errors"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// merging is AuthMerging.
type merging uint8

const (
	mergeUnset merging = iota
	mergeOff
	mergeAnd
	mergeOr
)

// requireSettings is what a section says of Require (httpd: mod_authz_core.c authz_core_dir_conf).
type requireSettings struct {
	root      *rule // nil: no Require here
	merging   merging
	forbidden directive.Opt[bool] // AuthzSendForbiddenOnFailure
}

var requires = directive.NewKey[requireSettings]("mod_authz_core", mergeRequire)

// mergeRequire: a section with Require replaces what holds outside, unless AuthMerging joins them; one
// that says AuthMerging Off alone has no rules at all (httpd: mod_authz_core.c merge_authz_core_dir_config).
func mergeRequire(outer, inner requireSettings) requireSettings {
	m := inner
	switch {
	case inner.merging == mergeUnset && inner.root == nil && outer.root != nil:
		m = outer
	case inner.merging == mergeOff, inner.merging == mergeUnset, outer.root == nil && inner.root == nil:
	case outer.root == nil:
		m.root = inner.root
	case inner.root == nil:
		m.root = outer.root
	default:
		m.root = joinRules(outer.root, inner.root, inner.merging == mergeAnd)
	}
	m.forbidden = inner.forbidden.Over(outer.forbidden)
	return m
}

func joinRules(outer, inner *rule, all bool) *rule {
	r := &rule{methods: outer.methods.with(inner.methods), all: all, members: []*rule{outer, inner}, text: "AuthMerging Any"}
	if all {
		r.text = "AuthMerging All"
	}
	return r
}

// setMerging (httpd: mod_authz_core.c authz_merge_sections).
func setMerging(s *directive.Scope, a directive.Args) error {
	m, ok := map[string]merging{"off": mergeOff, "and": mergeAnd, "or": mergeOr}[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New(a.Name + " must be one of: Off | And | Or")
	}
	requires.In(s).merging = m
	return nil
}

func setForbidden(s *directive.Scope, a directive.Args) error {
	requires.In(s).forbidden.Set(a.On)
	return nil
}

// loginSettings is what a section says of who asks (httpd: mod_authn_core.c, mod_auth_basic.c).
type loginSettings struct {
	kind          directive.Opt[string] // AuthType as written
	kindExpr      *expr.String          // of an AuthType that depends on the request
	realm         *expr.String          // AuthName
	sources       []string              // AuthBasicProvider; nil: file
	authoritative directive.Opt[bool]
	fake          directive.Opt[fake] // AuthBasicFake
	digest        directive.Opt[bool] // AuthBasicUseDigestAlgorithm MD5
}

// fake is a name and password to tell the member instead of the client's; nil texts: off.
type fake struct{ user, password *expr.String }

var logins = directive.NewKey[loginSettings]("mod_auth_basic", mergeLogin)

func mergeLogin(outer, inner loginSettings) loginSettings {
	m := loginSettings{
		kind:          inner.kind.Over(outer.kind),
		kindExpr:      inner.kindExpr,
		realm:         inner.realm,
		sources:       inner.sources,
		authoritative: inner.authoritative.Over(outer.authoritative),
		fake:          inner.fake.Over(outer.fake),
		digest:        inner.digest.Over(outer.digest),
	}
	if _, set := inner.kind.Get(); !set {
		m.kindExpr = outer.kindExpr
	}
	if m.realm == nil {
		m.realm = outer.realm
	}
	if m.sources == nil {
		m.sources = outer.sources
	}
	return m
}

// fileSettings are AuthUserFile and AuthGroupFile, full paths. The inner one replaces the outer.
type fileSettings struct{ users, groups directive.Opt[string] }

var fileNames = directive.NewKey[fileSettings]("mod_authn_file", func(outer, inner fileSettings) fileSettings {
	return fileSettings{users: inner.users.Over(outer.users), groups: inner.groups.Over(outer.groups)}
})

func setUserFile(s *directive.Scope, a directive.Args) error {
	fileNames.In(s).users.Set(existing(s, a))
	return nil
}

// existing is the path of a file that is read when somebody logs in; one that is not there is told.
func existing(s *directive.Scope, a directive.Args) string {
	path := s.Config.Tree.Path(a.Words[0])
	if _, err := s.Config.Files.Stat(path); err != nil {
		s.Config.Fails(a, a.Name+" "+path+": "+exchange.ErrnoText(err)+": nobody is let in by it until it is there")
	}
	return path
}

func setGroupFile(s *directive.Scope, a directive.Args) error {
	fileNames.In(s).groups.Set(existing(s, a))
	return nil
}

// setAuthType takes Basic and None. Other kinds would, as a word that nobody knows, lock everybody out
// at best; they are refused here.
func setAuthType(s *directive.Scope, a directive.Args) error {
	kind := a.Words[0]
	e, err := expr.CompileString(kind, site.ExprOptions(s, "authn_core"))
	if err != nil {
		return errors.New("Cannot parse expression '" + kind + "' in AuthType: " + err.Error())
	}
	l := logins.In(s)
	l.kind.Set(kind)
	l.kindExpr = nil
	switch {
	case !constant(e):
		l.kindExpr = e
	case !strings.EqualFold(kind, "Basic") && !strings.EqualFold(kind, "None"):
		text, given := s.Config.ForeignLogin(kind)
		if given {
			return nil // nobody can log in
		}
		if text == "" {
			text = "this server knows AuthType Basic and None; to go on without would leave open, or lock, what this closes"
		}
		return &directive.Hinted{Msg: "AuthType " + kind + " is not supported", Hint: text}
	}
	return nil
}

func constant(e *expr.String) bool {
	_, ok := e.Const()
	return ok
}

func setAuthName(s *directive.Scope, a directive.Args) error {
	e, err := expr.CompileString(a.Words[0], site.ExprOptions(s, "authn_core"))
	if err != nil {
		return errors.New("Cannot parse expression '" + a.Words[0] + "' in AuthName: " + err.Error())
	}
	logins.In(s).realm = e
	return nil
}

func setAuthoritative(s *directive.Scope, a directive.Args) error {
	logins.In(s).authoritative.Set(a.On)
	return nil
}

func setFake(s *directive.Scope, a directive.Args) error {
	user, password := a.Words[0], "password"
	if strings.EqualFold(user, "off") {
		logins.In(s).fake.Set(fake{})
		return nil
	}
	if len(a.Words) > 1 {
		password = a.Words[1]
	}
	u, err := expr.CompileString(user, site.ExprOptions(s, "auth_basic"))
	if err != nil {
		return errors.New("Could not parse fake username expression '" + user + "': " + err.Error())
	}
	p, err := expr.CompileString(password, site.ExprOptions(s, "auth_basic"))
	if err != nil {
		return errors.New("Could not parse fake password expression associated to user '" + user + "': " + err.Error())
	}
	logins.In(s).fake.Set(fake{u, p})
	return nil
}

func setDigest(s *directive.Scope, a directive.Args) error {
	w := a.Words[0]
	if !strings.EqualFold(w, "Off") && !strings.EqualFold(w, "MD5") {
		return errors.New("Invalid algorithm in AuthBasicUseDigestAlgorithm: " + w)
	}
	logins.In(s).digest.Set(strings.EqualFold(w, "MD5"))
	return nil
}

// setSource adds a provider of passwords (httpd: mod_auth_basic.c add_authn_provider).
func setSource(s *directive.Scope, a directive.Args) error {
	name := a.Words[0]
	if _, ok := sourceOf(s, name); !ok {
		return errors.New("Unknown Authn provider: " + name)
	}
	l := logins.In(s)
	l.sources = append(l.sources, name)
	return nil
}
