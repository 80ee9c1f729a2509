package auth

import (
	"context"
	"slices"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// groupTable is the groups of each user.
type groupTable map[string][]string

// parseGroups reads lines "group: user user" (httpd: mod_authz_groupfile.c groups_for_user).
func parseGroups(list []string) groupTable {
	t := groupTable{}
	for _, line := range list {
		group, users := field(line)
		group = strings.TrimRight(group, " \t\v\f\r")
		for _, u := range apacheconf.Words(users) {
			if own := t[u]; len(own) == 0 || own[len(own)-1] != group { // a user may stand twice in a line
				t[u] = append(own, group)
			}
		}
	}
	return t
}

// requireGroup (httpd: mod_authz_groupfile.c group_check_authorization).
func requireGroup(s *directive.Scope, args string) (check, verdict, error) {
	w, err := newWords(s, args, "authz_groupfile", "AH02592: authz_groupfile authorize: require group")
	return func(_ context.Context, x *exchange.Exchange, g *gate) verdict {
		if !g.hasUser(x) {
			return deniedUser
		}
		own, ok := g.groupsOf(x)
		if !ok {
			return denied
		}
		list, ok := w.of(x)
		if !ok {
			return denied
		}
		if slices.ContainsFunc(list, func(name string) bool { return slices.ContainsFunc(own, foldedTo(name)) }) {
			return granted
		}
		x.Log("authz_groupfile", exchange.Debug, nil, x.Arena.Join("AH01667: Authorization of user ", x.User, " to access ", x.Req.Path,
			" failed, reason: user is not part of the 'require'ed group(s)."))
		return denied
	}, neutral, err
}

// foldedTo: httpd keeps a user's groups in a table that ignores the case of letters.
func foldedTo(name string) func(string) bool {
	return func(group string) bool { return exchange.EqualFold(group, name) }
}

// groupsOf is the user's groups; ok is false when there are none, which was logged.
func (g *gate) groupsOf(x *exchange.Exchange) (list []string, ok bool) {
	if g.groups == "" {
		x.Log("authz_groupfile", exchange.Error, nil, "AH01664: No group file was specified in the configuration")
		return nil, false
	}
	t, err := g.files.groups.get(x, g.groups)
	if err != nil {
		notRegular(x, g.groups, err)
		x.Log("authz_groupfile", exchange.Error, err, "AH01665: Could not open group file: "+g.groups)
		return nil, false
	}
	if list = t[x.User]; len(list) == 0 {
		x.Log("authz_groupfile", exchange.Info, nil, x.Arena.Join("AH01666: Authorization of user ", x.User, " to access ", x.Req.Path,
			" failed, reason: user doesn't appear in group file (", g.groups, ")."))
		return nil, false
	}
	return list, true
}
