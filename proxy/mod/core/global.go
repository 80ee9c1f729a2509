package core

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// globalSettings are the main server's directives that hold for all hosts.
type globalSettings struct {
	extended        directive.Opt[bool]
	redirects       int // LimitInternalRecursion's two numbers
	subrequests     int
	tokens          string
	nameVirtualHost bool // one was warned of
}

var globals = directive.NewKey[globalSettings]("core-global", func(outer, inner globalSettings) globalSettings { return inner })

func setExtended(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	globals.In(s).extended.Set(a.On)
	return nil
}

// setRecursion (httpd: core.c set_recursion_limit).
func setRecursion(s *directive.Scope, a directive.Args) error {
	g := globals.In(s.Config.Main)
	warnings := [...]string{"AH00119: Limiting internal redirects to very low numbers may cause normal requests to fail.",
		"AH00120: Limiting the subrequest depth to a very low level may cause normal requests to fail."}
	limits := [...]*int{&g.redirects, &g.subrequests}
	for i, w := range a.Words {
		n := directive.Atoi(w)
		if n <= 0 {
			return errors.New("The recursion limit must be greater than zero.")
		}
		if n < 4 {
			s.Config.Warn(a.Pos, "core", warnings[i])
		}
		*limits[i] = n
	}
	if len(a.Words) == 1 {
		g.subrequests = g.redirects
	}
	return nil
}

// version is what the Server header and -v claim to be: scripts ask for Apache/2.4.N.
const version = "2.4.71"

// tokens are ServerTokens' words and the Server header that each gives (httpd: core.c
// set_serv_tokens, set_banner).
var tokens = map[string]string{
	"prod": "Apache", "productonly": "Apache", "major": "Apache/2", "minor": "Apache/2.4",
	"min": "Apache/" + version, "minimal": "Apache/" + version, "os": "Apache/" + version + " (Unix)", "full": "Apache/" + version + " (Unix)",
}

func setTokens(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	t, ok := tokens[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New("ServerTokens takes 1 argument: 'Prod(uctOnly)', 'Major', 'Minor', 'Min(imal)', 'OS', or 'Full'")
	}
	globals.In(s).tokens = t
	return nil
}

// setError is the Error directive: the file's own way to stop a load.
func setError(s *directive.Scope, a directive.Args) error {
	words := strings.TrimSpace(a.Raw)
	if words == "" {
		return errors.New("The Error directive was used with no message.")
	}
	w, rest := apacheconf.Word(words)
	if rest == "" {
		words = w
	}
	return errors.New(words)
}

func setPort(*directive.Scope, directive.Args) error {
	return errors.New("Port was replaced with Listen in Apache 2.0")
}

func setDefaultType(s *directive.Scope, a directive.Args) error {
	if !isNone(a.Words[0]) {
		s.Config.Warn(a.Pos, "core", "AH00117: Ignoring deprecated use of DefaultType in line "+strconv.Itoa(a.Pos.Line)+" of "+a.Pos.File+".")
	}
	return nil
}

func isNone(word string) bool { return strings.EqualFold(word, "none") }

// fill copies the settings to where the server looks for them.
func (g *globalSettings) fill(st *site.Site) {
	t, to := st.Config.Tree, &st.Settings
	to.ExtendedStatus = g.extended.Or(true)
	to.RedirectLimit, to.LookupLimit = g.redirects, g.subrequests
	to.ServerRoot, to.RuntimeDir = t.ServerRoot, t.RuntimePath("")
	to.Token = cmp.Or(g.tokens, tokens["full"])
}
