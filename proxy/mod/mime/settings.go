package mime

import (
	"errors"
	"strings"

	"balancerd/apacheconf/directive"
)

func setTypesConfig(s *directive.Scope, a directive.Args) error {
	scopes.In(s).types = a.Words[0]
	return nil
}

func setDefaultLanguage(s *directive.Scope, a directive.Args) error {
	scopes.In(s).language.Set(a.Words[0])
	return nil
}

func setUsePathInfo(s *directive.Scope, a directive.Args) error {
	scopes.In(s).pathInfo.Set(a.On)
	return nil
}

// checkMultiviews (httpd: mod_mime.c multiviews_match).
func checkMultiviews(s *directive.Scope, a directive.Args) error {
	if err := a.Forbid(s, directive.Location); err != nil {
		return err
	}
	word, m := strings.ToLower(a.Words[0]), scopes.In(s)
	clash := func(text string, others ...string) error {
		for _, o := range others {
			if m.views[o] {
				return errors.New(text)
			}
		}
		if m.views == nil {
			m.views = map[string]bool{}
		}
		m.views[word] = true
		return nil
	}
	switch word {
	case "any":
		return clash("Any is incompatible with NegotiatedOnly, Filters and Handlers", "negotiatedonly", "filters", "handlers")
	case "negotiatedonly":
		return clash("NegotiatedOnly is incompatible with Any, Filters and Handlers", "any", "filters", "handlers")
	case "filters":
		return clash("Filters is incompatible with Any and NegotiatedOnly", "any", "negotiatedonly")
	case "handlers":
		return clash("Handlers is incompatible with Any and NegotiatedOnly", "any", "negotiatedonly")
	}
	return errors.New("Unrecognized option '" + a.Words[0] + "'")
}
