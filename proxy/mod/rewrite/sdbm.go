package rewrite

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/filestamp"
)

// sdbmFile is a dbm=sdbm: map, two files: of pages, and of the bits that say how far the pages were split. It is
// opened for each look-up, as httpd does.
type sdbmFile struct {
	path  string
	asked asked
}

// The names of the two files, and what is in them (APR: sdbm_private.h).
const (
	directorySuffix = ".dir"
	pageSuffix      = ".pag"
	pageSize        = 1024
	mostSplits      = 31 // bits of a hash
)

// openTable is for dbm: and dbm=TYPE:.
func (m *rewriteMap) openTable(s *directive.Scope, text string) error {
	kind, rest, ok := strings.Cut(text[len("dbm"):], ":")
	kind, typed := strings.CutPrefix(kind, "=")
	if !ok || !typed && kind != "" {
		return errors.New("RewriteMap: bad map:" + text)
	}
	if !typed {
		kind = "default"
	}
	path := s.Config.Tree.Path(rest)
	switch strings.ToLower(kind) {
	case "sdbm":
	case "default", "gdbm", "db":
		if err := m.there(s, path); err != nil {
			return err
		}
		return &directive.Hinted{Msg: "RewriteMap: dbm type " + kind + " can't be read here", Hint: "httxt2dbm -f SDBM makes a table that can, for dbm=sdbm:; or use the text by txt:"}
	default:
		return errors.New("RewriteMap: dbm type " + kind + " is invalid")
	}
	m.kind, m.source = "[dbm]", &sdbmFile{path: path}
	return m.there(s, path+directorySuffix)
}

func (f *sdbmFile) find(p *pass, m *rewriteMap, key string) (string, bool) {
	p.x.Block()
	var now filestamp.Stamp // of the one that changed last
	var latest time.Time
	for i, suffix := range [...]string{directorySuffix, pageSuffix} {
		fi, err := os.Stat(f.path + suffix)
		if err != nil {
			code := [...]string{"AH00662", "AH00663"}[i]
			p.x.Log("rewrite", exchange.Error, err, code+": mod_rewrite: can't access DBM RewriteMap file "+f.path+suffix)
			return "", false
		}
		if i == 0 || fi.ModTime().After(latest) {
			latest, now = fi.ModTime(), filestamp.Of(fi)
		}
	}
	again := p.traced && f.asked.again(key, now)
	if p.traced && !again {
		p.trace(6, "cache lookup FAILED, forcing new map lookup")
	}
	value, ok, err := fetch(f.path, key)
	if err != nil {
		p.x.Log("rewrite", exchange.Error, err, "AH00656: mod_rewrite: can't open DBM RewriteMap "+f.path)
	}
	if again {
		p.told("cache", m, key, value, true)
	} else {
		p.told("map", m, key, value, ok)
	}
	return value, ok
}

// fetch is the value of a key in the table.
func fetch(path, key string) (value string, ok bool, err error) {
	dir, err := os.OpenFile(path+directorySuffix, os.O_RDONLY, 0)
	if err != nil {
		return "", false, err
	}
	defer dir.Close()
	pages, err := os.OpenFile(path+pageSuffix, os.O_RDONLY, 0)
	if err != nil {
		return "", false, err
	}
	defer pages.Close()
	return lookFor(dir, pages, key)
}

// lookFor is fetch once the files are open.
func lookFor(dir, pages io.ReaderAt, key string) (value string, ok bool, err error) {
	var page [pageSize]byte
	if _, err := pages.ReadAt(page[:], pageOf(dir, hashOf(key))*pageSize); err != nil && err != io.EOF {
		return "", false, err
	}
	value, ok = inPage(&page, key)
	return value, ok, nil
}

// hashOf is SDBM's hash (APR: sdbm_hash.c; bytes beyond ASCII are negative).
func hashOf(key string) (h uint32) {
	for i := 0; i < len(key); i++ {
		h = uint32(int32(int8(key[i]))) + 65599*h
	}
	return h
}

// pageOf is the number of the page that holds the keys of a hash: the directory is a tree of bits that says how many
// bits of the hash count (APR: sdbm.c getpage).
func pageOf(dir io.ReaderAt, hash uint32) int64 {
	at, used := int64(0), 0
	var b [1]byte
	for used < mostSplits {
		if n, _ := dir.ReadAt(b[:], at/8); n == 0 || b[0]>>(at%8)&1 == 0 {
			break
		}
		at = 2*at + 1 + int64(hash>>used&1)
		used++
	}
	return int64(hash & (1<<used - 1))
}

// inPage looks for a key in a page: how many offsets there are, and the offsets of each key and its value, which are
// filled in from the end (APR: sdbm_pair.c getpair).
func inPage(page *[pageSize]byte, key string) (value string, ok bool) {
	offset := func(i int) int { return int(int16(binary.NativeEndian.Uint16(page[2*i:]))) }
	end := pageSize
	n := min(offset(0), pageSize/2-1)
	for i := 1; i+1 <= n; i += 2 {
		k, v := offset(i), offset(i+1)
		if v < 0 || k < v || end < k {
			return "", false // not a table
		}
		if string(page[k:end]) == key {
			return string(page[v:k]), true
		}
		end = v
	}
	return "", false
}
