package mpm

import (
	"os/user"
	"strconv"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
)

// setUser and setGroup check the name at once, as httpd does: the message has its own AH number and
// ends the reading.
func setUser(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	scopes.In(s).user = a.Words[0]
	if _, err := UserID(a.Words[0]); err != nil {
		return &apacheconf.Fatal{Message: "AH00543: " + apacheconf.Program() + ": bad user name " + a.Words[0]}
	}
	return nil
}

func setGroup(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	scopes.In(s).group = a.Words[0]
	if _, err := GroupID(a.Words[0]); err != nil {
		return &apacheconf.Fatal{Message: "AH00544: " + apacheconf.Program() + ": bad group name " + a.Words[0]}
	}
	return nil
}

// UserID is the number of a user by name or "#number".
func UserID(name string) (int, error) {
	if n, ok := strings.CutPrefix(name, "#"); ok {
		return strconv.Atoi(n)
	}
	u, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(u.Uid)
}

// GroupID is the number of a group by name or "#number".
func GroupID(name string) (int, error) {
	if n, ok := strings.CutPrefix(name, "#"); ok {
		return strconv.Atoi(n)
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}
