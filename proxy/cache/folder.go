package cache

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"balancerd/proxy/recovery"
)

// subfolder is where answers are within CacheRoot: what httpd keeps there is left alone.
const subfolder = "balancerd"

// OpenFolder makes a Store whose bodies are in files below a folder, which must be there. What is kept there already is
// found in the background. report is told, not more than once in a row, that writing fails.
func OpenFolder(root string, l Limits, report func(error)) (*Store, error) {
	if err := os.Mkdir(root+"/"+subfolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	r, err := os.OpenRoot(root + "/" + subfolder)
	if err != nil {
		return nil, err
	}
	s := newStore(l, &folder{root: r, report: report})
	began := time.Now()
	recovery.Go("cache folder", func() { s.folder.scan(s, began) })
	return s, nil
}

// scan reads the heads of all files, and removes what nobody knows.
func (d *folder) scan(s *Store, began time.Time) {
	bodies := map[string]bool{} // that a head names
	var loose []string
	folders, _ := fs.ReadDir(d.root.FS(), ".")
	for _, sub := range folders {
		files, _ := fs.ReadDir(d.root.FS(), sub.Name())
		for _, f := range files {
			name := sub.Name() + "/" + f.Name()
			switch path.Ext(name) {
			case headSuffix:
				if body, ok := d.adopt(s, name); ok {
					bodies[body] = true
				}
			case bodySuffix, newSuffix:
				loose = append(loose, name)
			}
		}
	}
	for _, name := range loose {
		if fi, err := d.root.Lstat(name); err == nil && !bodies[name] && fi.ModTime().Before(began) {
			d.root.Remove(name)
		}
	}
}

// adopt takes a file's answer in; one that is broken is removed. body is the other file that it needs.
func (d *folder) adopt(s *Store, name string) (bodyFile string, ok bool) {
	e, b, err := d.load(name)
	if err != nil || nameOf(e) != name {
		d.root.Remove(name)
		return "", false
	}
	e.body.Store(b)
	s.putOld(e)
	return b.file, true
}

func (d *folder) load(name string) (*Entry, *body, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return nil, nil, errBroken
	}
	e, own, from, err := decode(f, fi.Size())
	if err != nil {
		return nil, nil, err
	}
	if own == "" {
		if e.HeadOnly {
			return e, &body{sound: true}, nil
		}
		return e, &body{file: name, from: from}, nil
	}
	if fi, err := d.root.Lstat(own); err != nil || !strings.HasSuffix(own, bodySuffix) || !fi.Mode().IsRegular() || fi.Size() != e.Length {
		return nil, nil, errBroken
	}
	return e, &body{file: own}, nil
}

// putOld is put for an answer of an earlier process: what has come in since stays.
func (s *Store) putOld(e *Entry) {
	s.mu.Lock()
	for _, o := range s.byKey[e.Key] {
		if !e.varies(o) || e.sameVariant(o) {
			s.mu.Unlock()
			return
		}
	}
	s.mu.Unlock()
	s.put(e)
}
