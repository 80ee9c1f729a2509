package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"balancerd/balancer"
)

// Store is a directory of records. It may be used by several goroutines, but by one process at a
// time.
type Store struct {
	dir string // immutable

	mu    sync.Mutex             // for moments
	files map[string]*sync.Mutex // under mu: one writer of a settings file at a time, by its name

	states sync.Mutex // one writer of state files at a time
}

var _ balancer.Store = (*Store)(nil)

// New is the store in dir, which the first save makes when it is missing.
func New(dir string) *Store { return &Store{dir: dir, files: map[string]*sync.Mutex{}} }

// The ends of files' names.
const (
	settingsSuffix = ".json"
	stateSuffix    = ".state"
	half           = ".tmp" // behind these: being written, or left by a crash
	damaged        = ".bad" // behind these: set aside
)

// Load reads all records. It changes nothing. What cannot be read is said in the error, file by
// file, and does not keep the rest from being read; a directory that is missing holds nothing.
func (s *Store) Load(ctx context.Context) ([]balancer.Record, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var records []balancer.Record
	var errs []error
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), settingsSuffix)
		if !is || ctx.Err() != nil {
			continue
		}
		r, err := read(d, e.Name(), decodeSettings)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if state, err := read(d, name+stateSuffix, decodeState); err == nil {
			r.State = &state
		} else if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		records = append(records, r)
	}
	return records, errors.Join(append(errs, ctx.Err())...)
}

// read reads a file that decode understands.
func read[T any](d *os.Root, file string, decode func([]byte) (T, error)) (r T, err error) {
	text, err := d.ReadFile(file)
	if err != nil {
		return r, err
	}
	if r, err = decode(text); err != nil {
		return r, fmt.Errorf("%s: %w", filepath.Join(d.Name(), file), err)
	}
	return r, nil
}

// SaveSettings writes r in place of the settings that the store has of the same balancer. It returns nil
// when the new file would survive a power cut; on an error the old file is as it was. A damaged file is
// kept beside the new one, with ".bad" at its end. From a file of version 1, which holds the state, too,
// a state file is made first.
func (s *Store) SaveSettings(_ context.Context, r balancer.SettingsRecord) error {
	text, err := encodeSettings(r)
	if err != nil {
		return err
	}
	name := nameOf(r.VHost, r.Balancer)
	file := name + settingsSuffix
	defer s.lock(file)()
	d, err := s.open()
	if err != nil {
		return err
	}
	defer d.Close()
	if err := write(d, file+half, text); err != nil {
		return err
	}
	old, err := read(d, file, decodeSettings)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		err = d.Rename(file, file+damaged)
	case err == nil && old.State != nil:
		err = s.splitOff(d, name+stateSuffix, *old.State)
	default:
		err = nil
	}
	if err != nil {
		return err
	}
	if err := d.Rename(file+half, file); err != nil {
		return err
	}
	return syncDir(d)
}

// splitOff writes the state that a file of version 1 has, unless there is a newer one already.
func (s *Store) splitOff(d *os.Root, file string, r balancer.StateRecord) error {
	s.states.Lock()
	defer s.states.Unlock()
	if _, err := d.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := encodeState(r)
	if err != nil {
		return err
	}
	if err := write(d, file+half, text); err != nil {
		return err
	}
	return d.Rename(file+half, file)
}

// SaveStates writes these in place of the states that the store has of their balancers: first all files,
// then all names, so that the directory reaches the disk once. Each state is written whole or not at all.
func (s *Store) SaveStates(_ context.Context, list []balancer.StateRecord) error {
	s.states.Lock()
	defer s.states.Unlock()
	d, err := s.open()
	if err != nil {
		return err
	}
	defer d.Close()
	var written []string
	var errs []error
	for _, r := range list {
		file := nameOf(r.VHost, r.Balancer) + stateSuffix
		text, err := encodeState(r)
		if err == nil {
			err = write(d, file+half, text)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		written = append(written, file)
	}
	for _, file := range written {
		errs = append(errs, d.Rename(file+half, file))
	}
	if len(written) > 0 {
		errs = append(errs, syncDir(d))
	}
	return errors.Join(errs...)
}

// lock waits until nobody else writes the settings file, and returns what ends that.
func (s *Store) lock(file string) (unlock func()) {
	s.mu.Lock()
	m := s.files[file]
	if m == nil {
		m = &sync.Mutex{}
		s.files[file] = m
	}
	s.mu.Unlock()
	m.Lock()
	return m.Unlock
}

// open is the directory, made if it is missing.
func (s *Store) open() (*os.Root, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenRoot(s.dir)
}

// write makes a file that is on the disk when it returns nil; on an error there is none. What has the
// name already, left by a crash or put there by somebody, is taken away and never written to.
func write(d *os.Root, file string, text []byte) error {
	if err := remove(d, file); err != nil {
		return err
	}
	f, err := d.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, remove(d, file))
	}
	return nil
}

func remove(d *os.Root, file string) error {
	if err := d.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir makes a rename last.
func syncDir(d *os.Root) error {
	f, err := d.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// longest is how much of a balancer's name goes into a file's name; a name has 95 bytes at most, but
// each may become three.
const longest = 150

// nameOf is the files of a balancer, without suffix: virtual host and name, with what could be no part
// of a file's name as %XX. Two balancers never share a file.
func nameOf(vhost, name string) string {
	var b strings.Builder
	text := vhost + "_" + strings.TrimPrefix(name, balancer.Prefix)
	for i := range len(text) {
		c := text[i]
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '-' || c == '_' || c == '.' && i > 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= longest {
		return b.String()
	}
	return b.String()[:longest] + "%" + sum([]byte(text))
}
