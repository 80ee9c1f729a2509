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

	mu sync.Mutex // one Save at a time
}

var _ balancer.Store = (*Store)(nil)

// New is the store in dir, which Save makes when it is missing.
func New(dir string) *Store { return &Store{dir: dir} }

const (
	suffix  = ".json"
	half    = ".tmp" // behind suffix: being written, or left by a crash
	damaged = ".bad" // behind suffix: set aside
)

// Load reads all records. It changes nothing. What cannot be read is told in the error, file by
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
		if !strings.HasSuffix(e.Name(), suffix) || ctx.Err() != nil {
			continue
		}
		r, err := read(d, e.Name())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		records = append(records, r)
	}
	return records, errors.Join(append(errs, ctx.Err())...)
}

func read(d *os.Root, file string) (balancer.Record, error) {
	text, err := d.ReadFile(file)
	if err != nil {
		return balancer.Record{}, err
	}
	r, err := decode(text)
	if err != nil {
		return balancer.Record{}, fmt.Errorf("%s: %w", filepath.Join(d.Name(), file), err)
	}
	return r, nil
}

// Save writes r in place of what the store has of the same balancer. It returns nil when the new
// file would survive a power cut; on an error the old file is as it was. A damaged file is kept
// beside the new one, with ".bad" at its end.
func (s *Store) Save(_ context.Context, r balancer.Record) error {
	text, err := encode(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	d, err := os.OpenRoot(s.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	file := name(r) + suffix
	if err := write(d, file+half, text); err != nil {
		return errors.Join(err, remove(d, file+half))
	}
	if _, err := read(d, file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		if err := d.Rename(file, file+damaged); err != nil {
			return err
		}
	}
	if err := d.Rename(file+half, file); err != nil {
		return err
	}
	return syncDir(d)
}

// write makes a file that is on the disk when it returns nil. What has the name already, left by a crash or
// put there by somebody, is taken away and never written to.
func write(d *os.Root, file string, text []byte) error {
	if err := remove(d, file); err != nil {
		return err
	}
	f, err := d.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
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

// name is the file of a balancer, without suffix: virtual host and name, with what could be no part
// of a file's name as %XX. Two names never share a file.
func name(r balancer.Record) string {
	var b strings.Builder
	text := r.VHost + "_" + strings.TrimPrefix(r.Balancer, balancer.Prefix)
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
