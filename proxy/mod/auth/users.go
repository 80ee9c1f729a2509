package auth

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
)

// files keeps what was read of user and group files until they change. Safe for use by many.
type files struct {
	mu     sync.Mutex
	users  map[string]*parsed[userTable]
	groups map[string]*parsed[groupTable]
}

func newFiles() *files {
	return &files{users: map[string]*parsed[userTable]{}, groups: map[string]*parsed[groupTable]{}}
}

// parsed is a file's content and what the file was when it was read. Immutable.
type parsed[T any] struct {
	content T
	size    int64
	inode   uint64
	changed time.Time
	read    time.Time
}

// fresh tells whether the file is still what was read. One that had changed just before cannot be
// told from one that changed again in the same tick of the file system's clock.
func (p *parsed[T]) fresh(fi os.FileInfo) bool {
	return p != nil && p.size == fi.Size() && p.inode == inode(fi) && p.changed.Equal(fi.ModTime()) && p.read.Sub(p.changed) > 2*time.Second
}

func inode(fi os.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// load is a file's content, parsed again when it changed.
func load[T any](f *files, cache map[string]*parsed[T], name string, parse func(lines []string) T) (T, error) {
	fi, err := os.Stat(name)
	if err != nil {
		var none T
		return none, bare(err)
	}
	f.mu.Lock()
	p := cache[name]
	f.mu.Unlock()
	if p.fresh(fi) {
		return p.content, nil
	}
	now := time.Now()
	b, err := os.ReadFile(name)
	if err != nil {
		var none T
		return none, bare(err)
	}
	p = &parsed[T]{content: parse(lines(string(b))), size: fi.Size(), inode: inode(fi), changed: fi.ModTime(), read: now}
	f.mu.Lock()
	cache[name] = p
	f.mu.Unlock()
	return p.content, nil
}

// bare is the system's error without the operation and the name.
func bare(err error) error {
	if e, ok := err.(*os.PathError); ok {
		return e.Err
	}
	return err
}

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

// userTable is a file of users. The first line of a user counts.
type userTable struct {
	passwords map[string]string
	digests   map[[2]string]string // by user and realm
}

func parseUsers(list []string) userTable {
	t := userTable{map[string]string{}, map[[2]string]string{}}
	for _, line := range list {
		user, rest := field(line)
		second, rest := field(rest)
		third, _ := field(rest)
		if _, taken := t.passwords[user]; !taken {
			t.passwords[user] = second
		}
		key := [2]string{user, second}
		if _, taken := t.digests[key]; !taken {
			t.digests[key] = third
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
	t, r := s.table(x, "AH01619", "AH01620")
	if r != accepted {
		return "", r
	}
	hash, ok := t.passwords[user]
	if !ok {
		return "", notFound
	}
	return hash, accepted
}

// digest is the MD5 of user:realm:password (httpd: mod_authn_file.c get_realm_hash).
func (s *userSource) digest(x *exchange.Exchange, user, realm string) (string, result) {
	t, r := s.table(x, "AH01621", "AH01622")
	if r != accepted {
		return "", r
	}
	hash, ok := t.digests[[2]string{user, realm}]
	if !ok {
		return "", notFound
	}
	return hash, accepted
}

func (s *userSource) table(x *exchange.Exchange, unset, unread string) (userTable, result) {
	if s.file == "" {
		x.Log("authn_file", exchange.Error, nil, unset+": AuthUserFile not specified in the configuration")
		return userTable{}, failed
	}
	t, err := load(s.files, s.files.users, s.file, parseUsers)
	if err != nil {
		x.Log("authn_file", exchange.Error, err, unread+": Could not open password file: "+s.file)
		return userTable{}, failed
	}
	return t, accepted
}
