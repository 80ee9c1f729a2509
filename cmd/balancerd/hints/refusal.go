package hints

import (
	"fmt"
	"slices"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// Refusal is the error of a configuration that closes something which would stand open, because a
// directive has no effect here; nil for none. program is the name that messages begin with.
func Refusal(s *site.Site, program string) error {
	var all, accept []string
	for _, h := range s.Config.Hints {
		if !h.Refuse {
			continue
		}
		all = append(all, fmt.Sprintf("%s: %s on line %d of %s: %s", program, h.Name, h.Pos.Line, h.Pos.File, h.Text))
		if name := "Define " + directive.Without(h.Module); !slices.Contains(accept, name) {
			accept = append(accept, name)
		}
	}
	if all == nil {
		return nil
	}
	return &apacheconf.Fatal{Message: strings.Join(all, "\n") + "\n" + program + ": not started: this configuration would be less strict here than it says\n" +
		"hint: to go on without, and have that known, write " + strings.Join(accept, ", ")}
}
