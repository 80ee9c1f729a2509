package dbm

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
)

// Type is a type of table.
type Type struct {
	Name     string
	suffixes []string // of the files that hold a table: they follow its path
	find     func(files []io.ReaderAt, key string) (value string, ok bool, err error)
}

var (
	sdbm     = &Type{"sdbm", []string{".dir", ".pag"}, findSDBM}
	berkeley = &Type{"db", []string{""}, findBerkeley}
)

// ErrUnreadable is of a type that httpd could read.
var ErrUnreadable = errors.New("tables of this type can't be read here")

// TypeOf finds a type by its name, in whatever case. nil: there is none, or with ErrUnreadable none here (APR: apr_dbm.c
// dbm_open_type; of those that Debian's has).
func TypeOf(name string) (*Type, error) {
	switch strings.ToLower(name) {
	case "sdbm":
		return sdbm, nil
	case "default", "db":
		return berkeley, nil
	case "gdbm":
		return nil, ErrUnreadable
	}
	return nil, nil
}

// Files are the names of the files that hold a table.
func (t *Type) Files(path string) []string {
	names := make([]string, len(t.suffixes))
	for i, s := range t.suffixes {
		names[i] = path + s
	}
	return names
}

// Find is the value of a key in the table at a path. It reads files: a request's caller calls exchange.Block
// before it. An error says that they are not there, or no such table.
func (t *Type) Find(path, key string) (value string, ok bool, err error) {
	files := make([]io.ReaderAt, 0, len(t.suffixes))
	for _, name := range t.Files(path) {
		f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not hold us up
		if err != nil {
			return "", false, err
		}
		defer f.Close()
		files = append(files, f)
	}
	return t.find(files, key)
}
