package cache

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"balancerd/proxy/recovery"
)

// subfolder is where answers are within CacheRoot: what httpd keeps there is left alone.
const subfolder = "balancerd"

// OpenFolder makes a Store whose bodies are in files below a folder, which must be there; the folder in it that holds them is
// ours alone. What is kept there already is found in the background. report is told, once a minute, that writing fails.
func OpenFolder(root string, l Limits, report func(error)) (*Store, error) {
	if err := os.Mkdir(root+"/"+subfolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	r, err := os.OpenRoot(root + "/" + subfolder)
	if err != nil {
		return nil, err
	}
	if err := ours(r); err != nil {
		r.Close()
		return nil, err
	}
	s := newStore(l, &folder{root: r, report: report, fresh: map[string]bool{}})
	began := time.Now()
	recovery.Go("cache folder", func() { s.folder.scan(s, began) })
	return s, nil
}

// ours fails for a folder that others may write: what is in it would be given to clients.
func ours(r *os.Root) error {
	fi, err := r.Stat(".")
	if err != nil {
		return err
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() || fi.Mode().Perm()&0o022 != 0 {
		return &fs.PathError{Op: "open", Path: r.Name(), Err: syscall.EPERM}
	}
	return nil
}

// scan reads the heads of all files that were there at began, and removes what nobody knows. It is done by the writer, a folder at a
// time, so that nothing is taken for lost that is just written: by the writer, whose files the system may give a time a little
// before began, or by an earlier process that still ends.
func (d *folder) scan(s *Store, began time.Time) {
	bodies := map[string]bool{} // that a head names
	var loose []string
	folders, _ := fs.ReadDir(d.root.FS(), ".")
	for _, sub := range folders {
		d.do(func() {
			files, _ := fs.ReadDir(d.root.FS(), sub.Name())
			for _, f := range files {
				name := sub.Name() + "/" + f.Name()
				if fi, err := f.Info(); d.fresh[name] || err != nil || !fi.ModTime().Before(began) {
					continue
				}
				switch path.Ext(name) {
				case headSuffix:
					bodies[d.adopt(s, name)] = true
				case bodySuffix, newSuffix:
					loose = append(loose, name)
				}
			}
		})
	}
	d.do(func() {
		for _, name := range loose {
			if !bodies[name] {
				d.root.Remove(name)
			}
		}
		d.fresh = nil
	})
}

// adopt takes a file's answer in; one that is broken is removed. bodyFile is the other file that it needs, if any.
func (d *folder) adopt(s *Store, name string) (bodyFile string) {
	e, b, err := d.load(name)
	if err != nil || nameOf(e) != name {
		d.root.Remove(name)
		return ""
	}
	e.body.Store(b)
	if !s.putOld(e) { // its head's file is the newer one's, or goes with the next start
		return ""
	}
	return b.file
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
func (s *Store) putOld(e *Entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.byKey[e.Key] {
		if !e.varies(o) || e.sameVariant(o) {
			return false
		}
	}
	s.add(e)
	return true
}
