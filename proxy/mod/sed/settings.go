package sed

import (
	"errors"

	"balancerd/apacheconf/directive"
)

// settings are the scripts of a scope.
type settings struct{ answers, requests script }

// scopes: the innermost scope that has any script replaces those of all around it (httpd: mod_sed.c has no merger).
var scopes = directive.NewKey("sed", func(_, inner settings) settings { return inner })

// setScript adds commands to a script of the scope.
func setScript(of func(*settings) *script) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		script := of(scopes.In(s))
		note, err := script.add(a.Words[0])
		if err != nil {
			return errors.New("Failed to compile sed expression. " + err.Error())
		}
		if note != "" {
			s.Config.Hint(a, a.Name+": "+note)
		}
		return nil
	}
}
