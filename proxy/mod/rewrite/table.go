package rewrite

import (
	"errors"
	"os"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/dbm"
	"balancerd/proxy/internal/filestamp"
)

// dbmTable is a dbm: map.
type dbmTable struct {
	path  string
	kind  *dbm.Type
	asked asked
}

// tableOf takes "dbm:PATH" and "dbm=TYPE:PATH" apart; ok is false when it is neither.
func tableOf(text string) (kind, path string, ok bool) {
	kind, path, ok = strings.Cut(text[len("dbm"):], ":")
	kind, typed := strings.CutPrefix(kind, "=")
	if !typed {
		return "default", path, ok && kind == ""
	}
	return kind, path, ok
}

// openTable is for dbm: and dbm=TYPE:.
func (m *rewriteMap) openTable(s *directive.Scope, text string) error {
	name, rest, ok := tableOf(text)
	if !ok {
		return errors.New("RewriteMap: bad map:" + text)
	}
	path := s.Config.Tree.Path(rest)
	kind, err := dbm.TypeOf(name)
	switch {
	case err != nil:
		if err := m.there(s, path); err != nil {
			return err
		}
		return &directive.Hinted{Msg: "RewriteMap: dbm type " + name + " can't be read here", Hint: "httxt2dbm -f SDBM makes a table that can, for dbm=sdbm:; or use the text by txt:"}
	case kind == nil:
		return errors.New("RewriteMap: dbm type " + name + " is invalid")
	}
	m.kind, m.source = "[dbm]", &dbmTable{path: path, kind: kind}
	return m.there(s, kind.Files(path)[0])
}

// tableFiles are the files whose being there is looked at: the first of the table's.
func tableFiles(text string) []string {
	name, path, _ := tableOf(text)
	if kind, _ := dbm.TypeOf(name); kind != nil {
		return kind.Files(path)[:1]
	}
	return []string{path}
}

func (t *dbmTable) find(p *pass, m *rewriteMap, key string) (string, bool) {
	p.x.Block()
	now, err := t.stamp(p.x)
	if err != nil {
		return "", false
	}
	again := p.traced && t.asked.again(key, now)
	if p.traced && !again {
		p.trace(6, "cache lookup FAILED, forcing new map lookup")
	}
	value, ok, err := t.kind.Find(t.path, key)
	if err != nil {
		p.x.Log("rewrite", exchange.Error, err, "AH00656: mod_rewrite: can't open DBM RewriteMap "+t.path)
	}
	if again {
		p.told("cache", m, key, value, true)
	} else {
		p.told("map", m, key, value, ok)
	}
	return value, ok
}

// stamp is that of the file which has changed last. An error has been logged.
func (t *dbmTable) stamp(x *exchange.Exchange) (now filestamp.Stamp, err error) {
	var latest time.Time
	for i, name := range t.kind.Files(t.path) {
		fi, err := os.Stat(name)
		if err != nil {
			code := [...]string{"AH00662", "AH00663"}[i]
			x.Log("rewrite", exchange.Error, err, code+": mod_rewrite: can't access DBM RewriteMap file "+name)
			return now, err
		}
		if i == 0 || fi.ModTime().After(latest) {
			latest, now = fi.ModTime(), filestamp.Of(fi)
		}
	}
	return now, nil
}
