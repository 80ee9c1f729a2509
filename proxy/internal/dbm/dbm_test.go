package dbm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"balancerd/proxy/internal/dbm/dbmtest"
)

func check(t *testing.T, kind *Type, path string, want map[string]string) {
	t.Helper()
	for key, value := range want {
		if got, ok, err := kind.Find(path, key); got != value || !ok || err != nil {
			t.Fatalf("%s: %s: %q %v %v, want %q", kind.Name, key, got, ok, err, value)
		}
	}
	for _, key := range []string{"", "host", "host200.test", "HOST1.test"} {
		if got, ok, err := kind.Find(path, key); ok || err != nil {
			t.Errorf("%s: %q: %q %v", kind.Name, key, got, err)
		}
	}
}

func TestRecorded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	dbmtest.SDBM(t, path)
	dbmtest.Berkeley(t, path)
	check(t, sdbm, path, dbmtest.Content())
	check(t, berkeley, path, dbmtest.Content())
}

// TestTool: tables that the tool makes now, of more pages.
func TestTool(t *testing.T) {
	tool, err := exec.LookPath("httxt2dbm")
	if err != nil {
		t.Skip("httxt2dbm is in Debian's package apache2-utils")
	}
	want, text := map[string]string{}, &strings.Builder{}
	for i := range 500 {
		key, value := fmt.Sprintf("k%dé", i*i), strings.Repeat("w", 1+i%300)
		want[key] = value
		fmt.Fprintln(text, key, value)
	}
	path := filepath.Join(t.TempDir(), "t")
	os.WriteFile(path+".txt", []byte(text.String()), 0o600)
	for _, kind := range []*Type{sdbm, berkeley} {
		if out, err := exec.Command(tool, "-f", kind.Name, "-i", path+".txt", "-o", path).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		check(t, kind, path, want)
	}
}

func TestTypeOf(t *testing.T) {
	for name, want := range map[string]*Type{"SDBM": sdbm, "sdbm": sdbm, "default": berkeley, "DB": berkeley, "ndbm": nil, "": nil} {
		if got, err := TypeOf(name); got != want || err != nil {
			t.Errorf("%q: %v %v", name, got, err)
		}
	}
	if _, err := TypeOf("gdbm"); err != ErrUnreadable {
		t.Error(err)
	}
}

func TestFilesThatAreNoTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t")
	for what, make := range map[string]func(name string){
		"a text": func(name string) { os.WriteFile(name, []byte(strings.Repeat("no table\n", 500)), 0o600) },
		"empty":  func(name string) { os.WriteFile(name, nil, 0o600) },
		"none":   func(name string) {},
		"folder": func(name string) { os.Mkdir(name, 0o700) },
		"pipe":   func(name string) { syscall.Mkfifo(name, 0o600) },
	} {
		for _, kind := range []*Type{sdbm, berkeley} {
			for _, name := range kind.Files(path) {
				os.RemoveAll(name)
				make(name)
			}
			if v, ok, err := kind.Find(path, "key"); ok || err == nil && kind == berkeley {
				t.Errorf("%s, %s: %q %v", what, kind.Name, v, err)
			}
		}
	}
}

// sdbmPageWith is an SDBM page with keys and their values.
func sdbmPageWith(pairs ...string) (page [sdbmPage]byte) {
	end := sdbmPage
	binary.NativeEndian.PutUint16(page[:], uint16(len(pairs)))
	for i, s := range pairs {
		end -= len(s)
		copy(page[end:], s)
		binary.NativeEndian.PutUint16(page[2+2*i:], uint16(end))
	}
	return page
}

// TestHashes: numbers of APR's and Berkeley DB's own functions.
func TestHashes(t *testing.T) {
	for key, want := range map[string]uint32{"": 0, "a": 97, "ab": 97*65599 + 98} {
		if got := sdbmHash(key); got != want {
			t.Errorf("%q: %d, want %d", key, got, want)
		}
	}
	if got := hashOf(checkWord); got != 0x5e688dd1 {
		t.Errorf("%x", got)
	}
}

// counted counts the reads of a file.
type counted struct {
	io.ReaderAt
	reads int
}

func (c *counted) ReadAt(b []byte, at int64) (int, error) {
	c.reads++
	return c.ReaderAt.ReadAt(b, at)
}

// TestPagesInACircle end, whatever their number.
func TestPagesInACircle(t *testing.T) {
	table := dbmtest.File(t, ".db")
	size := int(binary.LittleEndian.Uint32(table[atPageSize:]))
	for at := size; at < len(table); at += size {
		binary.LittleEndian.PutUint32(table[at+atNextPage:], uint32(at/size))
	}
	file := &counted{ReaderAt: bytes.NewReader(table)}
	if _, ok, err := findBerkeley([]io.ReaderAt{file}, "none.test"); ok || err != errBadTable || file.reads > mostChained+1 {
		t.Error(ok, err, file.reads)
	}
}

// TestOtherByteOrder: a table of a machine with the other order of bytes.
func TestOtherByteOrder(t *testing.T) {
	page := make([]byte, 3*smallestPage)
	order := binary.BigEndian
	for at, v := range map[int]uint32{atMagic: hashMagic, atVersion: 9, atPageSize: smallestPage, atLastPage: 2, atCheckWord: hashOf(checkWord), atSpares: 1} {
		order.PutUint32(page[at:], v)
	}
	page[atType] = typeHashMeta
	data := page[smallestPage:]
	data[atPageType] = pageOfHash
	order.PutUint16(data[atEntries:], 2)
	order.PutUint16(data[pageHead:], smallestPage-2)
	order.PutUint16(data[pageHead+2:], smallestPage-4)
	copy(data[smallestPage-4:], "\x01v\x01k")
	if v, ok, err := findBerkeley([]io.ReaderAt{bytes.NewReader(page)}, "k"); v != "v" || !ok || err != nil {
		t.Error(v, ok, err)
	}
}

// FuzzSDBM: whatever the files hold, a look-up ends, and what it finds lies in the page. A page that holds the key alone
// has its value.
func FuzzSDBM(f *testing.F) {
	f.Add([]byte{1}, []byte("xx"), "k", "v")
	f.Add(bytes.Repeat([]byte{255}, 64), bytes.Repeat([]byte{7, 0}, 512), "key", "value")
	f.Fuzz(func(t *testing.T, dir, pages []byte, key, value string) {
		files := []io.ReaderAt{bytes.NewReader(dir), bytes.NewReader(pages)}
		if v, ok, err := findSDBM(files, key); ok && !bytes.Contains(pages, []byte(v+key)) {
			t.Fatalf("%q %v is not in the pages", v, err)
		}
		if len(key)+len(value) > sdbmPage-6 {
			return
		}
		page := sdbmPageWith(key, value)
		if v, ok := inSDBMPage(&page, key); v != value || !ok {
			t.Fatalf("%q: %q %v, want %q", key, v, ok, value)
		}
	})
}

// FuzzBerkeley: a table with some bytes changed: a look-up ends soon, and finds no more than the table holds.
func FuzzBerkeley(f *testing.F) {
	table := dbmtest.File(f, ".db")
	f.Add(0, []byte{1, 2}, "host1.test")
	f.Add(4096+22, []byte{0, 0}, "host7.test")
	f.Add(4096+16, []byte{1, 0, 0, 0}, "none")
	f.Fuzz(func(t *testing.T, at int, bytesThere []byte, key string) {
		changed := bytes.Clone(table)
		if at >= 0 && at < len(changed) {
			copy(changed[at:], bytesThere)
		}
		file := &counted{ReaderAt: bytes.NewReader(changed)}
		v, ok, err := findBerkeley([]io.ReaderAt{file}, key)
		if file.reads > 2*mostChained+2 || len(v) > largestValue || ok && err != nil {
			t.Fatalf("%d reads, %d bytes, %v %v", file.reads, len(v), ok, err)
		}
		if want, known := dbmtest.Content()[key]; at < 0 && (ok != known || v != want) {
			t.Fatalf("%s: %q, want %q", key, v, want)
		}
	})
}
