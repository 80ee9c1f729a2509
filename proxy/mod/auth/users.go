package auth

import (
	"strings"

	"balancerd/proxy/exchange"
)

// lines are a file's lines as httpd reads them: a backslash at the end joins the next one, blanks
// around are cut; empty ones and comments are left out.
func lines(text string) []string {
	var out []string
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\\\n", ""), "\n") {
		if line = strings.Trim(line, " \t\v\f\r"); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// passwordTable is the hash of each user's password. The first line of a user counts.
type passwordTable map[string]string

func parsePasswords(list []string) passwordTable {
	t := make(passwordTable, len(list))
	for _, line := range list {
		user, rest := field(line)
		if _, taken := t[user]; !taken {
			t[user], _ = field(rest)
		}
	}
	return t
}

// digestTable is the MD5 of user:realm:password for each user and realm. The first line of both counts.
type digestTable map[[2]string]string

func parseDigests(list []string) digestTable {
	t := make(digestTable, len(list))
	for _, line := range list {
		user, rest := field(line)
		realm, rest := field(rest)
		key := [2]string{user, realm}
		if _, taken := t[key]; !taken {
			t[key], _ = field(rest)
		}
	}
	return t
}

// field is what stands before a colon; several colons are one (httpd: util.c ap_getword).
func field(s string) (word, rest string) {
	word, rest, _ = strings.Cut(s, ":")
	return word, strings.TrimLeft(rest, ":")
}

// password is the hash of a user's password (httpd: mod_authn_file.c check_password).
func (s *userSource) password(x *exchange.Exchange, user string) (string, result) {
	t, r := openTable(x, s, &s.files.passwords, "AH01619", "AH01620")
	if r != accepted {
		return "", r
	}
	hash, ok := t[user]
	if !ok {
		return "", notFound
	}
	return hash, accepted
}

// digest is the MD5 of user:realm:password (httpd: mod_authn_file.c get_realm_hash).
func (s *userSource) digest(x *exchange.Exchange, user, realm string) (string, result) {
	t, r := openTable(x, s, &s.files.digests, "AH01621", "AH01622")
	if r != accepted {
		return "", r
	}
	hash, ok := t[[2]string{user, realm}]
	if !ok {
		return "", notFound
	}
	return hash, accepted
}

// openTable is the table of a source's file; what keeps it from being read is logged.
func openTable[T any](x *exchange.Exchange, s *userSource, from *cache[T], unset, unread string) (t T, r result) {
	if s.file == "" {
		x.Log("authn_file", exchange.Error, nil, unset+": AuthUserFile not specified in the configuration")
		return t, failed
	}
	t, err := from.get(x, s.file)
	if err != nil {
		notRegular(x, s.file, err)
		x.Log("authn_file", exchange.Error, err, unread+": Could not open password file: "+s.file)
		return t, failed
	}
	return t, accepted
}

// notRegular logs what httpd says first of a pipe, a folder or a device.
func notRegular(x *exchange.Exchange, name string, err error) {
	if err == errNotRegular {
		x.Log("core", exchange.Error, nil, "AH00554: Access to file "+name+" denied by server: not a regular file")
	}
}
