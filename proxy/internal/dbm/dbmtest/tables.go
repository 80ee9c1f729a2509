// Package dbmtest is for the tests of packages that look for keys in DBM tables: it has one of each type that can be read.
//
//	testdata/hosts.dir.gz, hosts.pag.gz --> SDBM(path): path.dir and path.pag
//	testdata/hosts.db.gz ------------------> Berkeley(path)
//
// httxt2dbm has made them.
package dbmtest

import (
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

//go:embed testdata
var recorded embed.FS

// SDBM puts the table of type SDBM at a path: it is two files.
func SDBM(t testing.TB, path string) {
	t.Helper()
	put(t, ".dir", path+".dir")
	put(t, ".pag", path+".pag")
}

// Berkeley puts the table of Berkeley DB's hash at a path.
func Berkeley(t testing.TB, path string) {
	t.Helper()
	put(t, ".db", path)
}

func put(t testing.TB, kind, name string) {
	t.Helper()
	if err := os.WriteFile(name, File(t, kind), 0o600); err != nil {
		t.Fatal(err)
	}
}

// File is the bytes of a recorded file: ".dir", ".pag" or ".db".
func File(t testing.TB, kind string) []byte {
	t.Helper()
	f, err := recorded.Open("testdata/hosts" + kind + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Content is what each of the tables holds: hostN.test, N from 0 to 199, leads to http://10.0.0.N:80/ and N mod 50 times
// "x"; and there is one value of 990 bytes.
func Content() map[string]string {
	m := map[string]string{"large.test": strings.Repeat("v", 990)}
	for i := range 200 {
		m[fmt.Sprintf("host%d.test", i)] = fmt.Sprintf("http://10.0.0.%d:80/%s", i, strings.Repeat("x", i%50))
	}
	return m
}
