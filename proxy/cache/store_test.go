package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

func roomy() Limits { return Limits{Bytes: 64 << 20, Entries: 1000, Heads: 1 << 20} }

// header is "Name: value" lines.
func header(lines ...string) exchange.Header {
	var h exchange.Header
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return h
}

func entry(key, control string, fields ...string) *Entry {
	now := time.Now().Truncate(time.Second)
	e := &Entry{Key: key, Status: 200, Length: -1, Header: header(fields...), Control: Parse(control, ""), Date: now, Requested: now, Received: now}
	l := Lifetimes{Default: time.Hour, Max: 24 * time.Hour, Factor: 0.1}
	e.Expires = l.Expiry(&e.Control, now, e.Header.Get("Expires"), e.Header.Get("Last-Modified"))
	return e
}

// store keeps a body in pieces.
func keep(s *Store, e *Entry, body string) {
	r := s.Record(e, 1<<30)
	for len(body) > 0 {
		n := min(len(body), 30_000)
		r.Write([]byte(body[:n]))
		body = body[n:]
	}
	r.Commit(0)
}

var noFields exchange.Header

// text is the body that is kept under key; "-" for none.
func text(t *testing.T, s *Store, key string, request exchange.Header) string {
	t.Helper()
	e := s.Lookup(key, &request, true)
	if e == nil {
		return "-"
	}
	src, err := s.Body(e)
	if err != nil {
		return "-"
	}
	defer src.Close()
	b, err := io.ReadAll(src)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// settle waits until everything is written.
func settle(s *Store) {
	if s.folder != nil {
		done := make(chan struct{})
		s.folder.do(func() { close(done) })
		<-done
	}
}

func stores(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("memory", func(t *testing.T) { test(t, NewMemory(roomy())) })
	t.Run("folder", func(t *testing.T) { test(t, opened(t, t.TempDir(), roomy())) })
}

func opened(t *testing.T, root string, l Limits) *Store {
	t.Helper()
	s, err := OpenFolder(root, l, func(err error) { t.Log(err) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		long := strings.Repeat("0123456789", 30_000)
		for i := range 3 { // it is replaced
			keep(s, entry("a", "max-age=60"), fmt.Sprint("body", i))
			keep(s, entry("long", "max-age=60"), fmt.Sprint(i)+long)
			settle(s)
			if got := text(t, s, "a", noFields); got != fmt.Sprint("body", i) {
				t.Error(got)
			}
			if got := text(t, s, "long", noFields); got != fmt.Sprint(i)+long {
				t.Error(len(got))
			}
		}
		if got := text(t, s, "none", noFields); got != "-" || s.Len() != 2 {
			t.Error(got, s.Len())
		}
		e := s.Lookup("long", &noFields, true)
		s.Refresh(e.Refreshed(entry("", "max-age=5", "X-N: 2")))
		if e = s.Lookup("long", &noFields, true); e.Header.Get("X-N") != "2" || text(t, s, "long", noFields) != "2"+long {
			t.Error("a new head for an old body")
		}
		s.Invalidate("long")
		s.Remove(s.Lookup("a", &noFields, true))
		if settle(s); s.Len() != 0 || s.Size() != 0 || s.heads != 0 || len(s.byKey) != 0 {
			t.Error(s.Len(), s.Size(), s.heads, s.byKey)
		}
	})
}

func TestVariants(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		de, en := header("Accept-Language: de"), header("Accept-Language: en", "Cookie: a")
		vary := func(h *exchange.Header, body string) {
			e := entry("k", "max-age=60")
			e.Varied = Vary("Accept-Language, cookie", h)
			keep(s, e, body)
			settle(s)
		}
		vary(&de, "de")
		vary(&en, "en")
		vary(&noFields, "none")
		if a, b, c, d := text(t, s, "k", de), text(t, s, "k", en), text(t, s, "k", noFields), text(t, s, "k", header("Cookie: ")); a != "de" || b != "en" || c != "none" || d != "-" {
			t.Error(a, b, c, d)
		}
		keep(s, entry("k", "max-age=60"), "for all")
		if settle(s); text(t, s, "k", de) != "for all" || s.Len() != 1 {
			t.Error(text(t, s, "k", de), s.Len())
		}
		for i := range 3 * Variants {
			h := header(fmt.Sprint("Accept-Language: ", i))
			vary(&h, "x")
		}
		if s.Len() != Variants {
			t.Error(s.Len(), "variants")
		}
	})
}

// A body that is too long, too short, broken off or not what was told is not kept.
func TestRefusedBodies(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for name, c := range map[string]struct{ told, most, least int64 }{"too long": {-1, 99_999, 0}, "longer than told": {99_999, 1 << 30, 0}, "shorter than told": {100_001, 1 << 30, 0}, "too short": {-1, 1 << 30, 100_001}} {
			e := entry(name, "max-age=60")
			e.Length = c.told
			r := s.Record(e, c.most)
			for range 10 {
				r.Write(make([]byte, 10_000))
			}
			r.Commit(c.least)
			r.Write([]byte("more"))
		}
		r := s.Record(entry("broken off", ""), 1<<30)
		r.Write(make([]byte, 100_000))
		r.Abandon()
		r.Commit(0)
		if settle(s); s.Len() != 0 {
			t.Error(s.Len())
		}
		if s.folder != nil && len(files(t, s)) > 0 {
			t.Error(files(t, s))
		}
	})
}

// files are those of the folder.
func files(t *testing.T, s *Store) (names []string) {
	t.Helper()
	settle(s)
	filepath.WalkDir(s.folder.root.Name(), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return nil
	})
	return names
}

func TestLimits(t *testing.T) {
	for name, l := range map[string]Limits{"bytes": {20_000, 1000, 1 << 20}, "entries": {1 << 20, 10, 1 << 20}, "heads": {1 << 20, 1000, 10_000}} {
		for _, s := range []*Store{NewMemory(l), opened(t, t.TempDir(), l)} {
			for i := range 100 {
				keep(s, entry(fmt.Sprint(i), ""), strings.Repeat("x", 500))
				s.Lookup("0", &noFields, true)
			}
			settle(s)
			if s.Len() > l.Entries || s.Size() > l.Bytes || s.heads > l.Heads || s.Len() < 5 {
				t.Error(name, s.Len(), s.Size(), s.heads)
			}
			if s.folder != nil && s.folder.hot.Len() > 100 {
				t.Error(s.folder.hot.Len())
			}
			if text(t, s, "0", noFields) == "-" || text(t, s, "99", noFields) == "-" || text(t, s, "1", noFields) != "-" {
				t.Error(name, ": what was asked for last stays")
			}
			if s.folder != nil && len(files(t, s)) != s.Len() {
				t.Error(name, len(files(t, s)), "files of", s.Len())
			}
		}
	}
}

// scanned waits until n answers are found.
func scanned(t *testing.T, s *Store, n int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); s.Len() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(s.Len(), "of", n)
		}
	}
}

// The look at what is there takes nothing for lost that this process has made, whatever time the system gives to it.
func TestScanOfFreshFiles(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := newStore(roomy(), &folder{root: root, fresh: map[string]bool{}})
	long := strings.Repeat("long", 50_000)
	r := s.Record(entry("going", ""), 1<<30)
	r.Write([]byte(long))
	keep(s, entry("long", "max-age=60"), long)
	settle(s)
	old := time.Now().Add(-time.Hour)
	files := 0
	filepath.Walk(root.Name(), func(path string, fi os.FileInfo, _ error) error {
		if fi.Mode().IsRegular() {
			files++
			os.Chtimes(path, old, old)
		}
		return nil
	})
	s.folder.scan(s, time.Now())
	r.Commit(0)
	settle(s)
	if files != 3 || s.Len() != 2 || text(t, s, "long", noFields) != long || text(t, s, "going", noFields) != long || s.folder.fresh != nil {
		t.Error(files, "files,", s.Len(), "answers")
	}
}

// What was kept is there after a restart; what a crash has left, what is broken and what others have put there is not.
func TestRestart(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root, roomy())
	long := strings.Repeat("long", 50_000)
	keep(s, entry("a", "max-age=60", "X-N: 1"), "a")
	keep(s, entry("long", ""), long)
	keep(s, entry("torn", ""), "torn")
	keep(s, entry("torn long", ""), long)
	head := entry("head", "")
	head.HeadOnly, head.Length = true, 9
	keep(s, head, "")
	settle(s)
	torn := filepath.Join(s.folder.root.Name(), nameOf(entry("torn", "")))
	b, _ := os.ReadFile(torn)
	os.WriteFile(torn, bytes.Replace(b, []byte("torn\""), []byte("born\""), 1), 0o600)
	e := s.Lookup("torn long", &noFields, true)
	body := filepath.Join(s.folder.root.Name(), e.body.Load().file)
	b, _ = os.ReadFile(body)
	b[100_000] ^= 1
	os.WriteFile(body, b, 0o600)
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"aa/loose.body", "aa/half.answer.new", "aa/foreign.txt", "aa/empty.answer", "aa/link.answer"} {
		path := filepath.Join(s.folder.root.Name(), name)
		os.MkdirAll(filepath.Dir(path), 0o700)
		os.WriteFile(path, nil, 0o600)
		os.Chtimes(path, old, old)
	}
	secret := filepath.Join(root, "secret")
	os.WriteFile(secret, []byte("secret"), 0o600)
	link := filepath.Join(s.folder.root.Name(), "aa/link.answer")
	os.Remove(link)
	os.Symlink(secret, link)
	s = opened(t, root, roomy())
	scanned(t, s, 4)
	if text(t, s, "a", noFields) != "a" || text(t, s, "long", noFields) != long || text(t, s, "torn", noFields) != "-" || text(t, s, "torn long", noFields) != "-" || s.Len() != 3 {
		t.Error(s.Len(), "answers")
	}
	if e := s.Lookup("head", &noFields, false); e == nil || !e.HeadOnly || e.Length != 9 || s.Lookup("head", &noFields, true) != nil {
		t.Error(e)
	}
	if e := s.Lookup("a", &noFields, true); e.Header.Get("X-N") != "1" || !e.Control.Aged || e.Waits() {
		t.Error(e)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if names := files(t, s); len(names) == 5 || time.Now().After(end) { // heads of 3, a long body, a stranger
			if len(names) != 5 || !strings.HasSuffix(strings.Join(names, " "), "") {
				t.Error(names)
			}
			break
		}
	}
	if b, _ := os.ReadFile(secret); string(b) != "secret" {
		t.Error("a link was followed")
	}
}

// A folder that cannot be written any more: it is told once, and answers are as good as not kept.
func TestUnwritableFolder(t *testing.T) {
	var mu sync.Mutex
	told := 0
	root := t.TempDir()
	s, err := OpenFolder(root, roomy(), func(error) { mu.Lock(); told++; mu.Unlock() })
	if err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(filepath.Join(root, subfolder))
	for i := range 5 {
		keep(s, entry(fmt.Sprint("short", i), ""), "short")
		keep(s, entry(fmt.Sprint("long", i), ""), strings.Repeat("x", 200_000))
	}
	settle(s)
	if text(t, s, "long1", noFields) != "-" || text(t, s, "short1", noFields) != "-" || s.Len() != 0 || s.folder.waiting.Load() != 0 {
		t.Error("what cannot be written is not kept")
	}
	mu.Lock()
	defer mu.Unlock()
	if told != 1 {
		t.Error("told", told, "times")
	}
	if _, err := OpenFolder(filepath.Join(root, "none"), roomy(), nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// Many goroutines at it: what is found is whole.
func TestConcurrent(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		s.limits.Entries = 20
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(g), 1))
				for range 300 {
					key := fmt.Sprint(rnd.IntN(40))
					switch rnd.IntN(6) {
					case 0:
						keep(s, entry(key, ""), strings.Repeat(key+" ", 1+rnd.IntN(50_000)))
					case 1:
						s.Invalidate(key)
					case 2:
						if e := s.Lookup(key, &noFields, true); e != nil {
							s.Refresh(e.Refreshed(entry("", "max-age=5")))
						}
					default:
						if b := text(t, s, key, noFields); b != "-" && strings.Trim(b, key+" ") != "" {
							t.Error(key, "is", len(b), "bytes of something else")
						}
					}
				}
			})
		}
		wg.Wait()
		settle(s)
		if s.Len() > 20 {
			t.Error(s.Len())
		}
		if s.folder != nil {
			for _, name := range files(t, s) {
				if filepath.Ext(name) == newSuffix {
					t.Error(name)
				}
			}
		}
	})
}

func TestLocks(t *testing.T) {
	s := NewMemory(roomy())
	if !s.Lock("k", time.Hour) || s.Lock("k", time.Hour) || !s.Lock("other", time.Hour) {
		t.Error("one at a time")
	}
	if !s.Lock("k", -1) {
		t.Error("an old lock is broken")
	}
	if s.Unlock("k"); !s.Lock("k", time.Hour) {
		t.Error("a lock that was given back")
	}
}

// FuzzDecode: what others may write there is refused or whole, and never believed beyond its length.
func FuzzDecode(f *testing.F) {
	e := entry("k", "max-age=60", "X-N: 1")
	e.Length = 4
	e.Varied = []Field{{"Cookie", "a", true}}
	b, err := encode(e, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(b, "body"...))
	b, _ = encode(e, "aa/x.body")
	f.Add(b)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, own, from, err := decode(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if own == "" && !e.HeadOnly && from+e.Length != int64(len(b)) || from > int64(len(b)) {
			t.Fatalf("%d bytes from %d of %d", e.Length, from, len(b))
		}
		again, err := encode(e, own)
		if err != nil {
			t.Fatal(err)
		}
		twice, _, _, err := decode(bytes.NewReader(append(again, b[from:]...)), int64(len(again))+int64(len(b))-from)
		if err != nil || twice.Key != e.Key || twice.Status != e.Status || len(twice.Header.F) != len(e.Header.F) || twice.Length != e.Length {
			t.Fatalf("%v: %+v is not %+v", err, twice, e)
		}
	})
}

// Short bodies that are asked for are in memory as well, within a bound; each is still read from its file after that.
func TestHotBodies(t *testing.T) {
	s := opened(t, t.TempDir(), Limits{Bytes: 1 << 30, Entries: 10_000, Heads: 64 << 20})
	body := strings.Repeat("x", hotBody)
	n := hotMost/hotBody + 50
	for i := range n {
		keep(s, entry(fmt.Sprint(i), ""), body)
		settle(s)
	}
	in := func(i int) bool {
		_, ok := s.Lookup(fmt.Sprint(i), &noFields, true).Text()
		return ok
	}
	if s.folder.bytes > hotMost || in(0) || !in(n-1) {
		t.Error(s.folder.bytes, in(0), in(n-1))
	}
	if text(t, s, "0", noFields) != body || !in(0) || in(50) {
		t.Error("what is asked for comes in, and another goes")
	}
	if s.folder.bytes > hotMost {
		t.Error(s.folder.bytes)
	}
}

// An answer that is longer than all may be is not kept, and pushes nothing out; one that goes at a time is not given after it;
// new bounds hold at once.
func TestNothingPushesAllOut(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		s.Limit(Limits{Bytes: 100_000, Entries: 10, Heads: 1 << 20})
		keep(s, entry("a", ""), "a")
		keep(s, entry("b", ""), "b")
		keep(s, entry("huge", ""), strings.Repeat("x", 200_000))
		gone := entry("gone", "")
		gone.Until = time.Now().Add(-time.Second)
		keep(s, gone, "gone")
		settle(s)
		if a, huge, gone := text(t, s, "a", noFields), text(t, s, "huge", noFields), text(t, s, "gone", noFields); a != "a" || huge != "-" || gone != "-" {
			t.Error(a, huge, gone)
		}
		s.Limit(Limits{Bytes: 100_000, Entries: 1, Heads: 1 << 20})
		if settle(s); s.Len() != 1 {
			t.Error(s.Len())
		}
		if s.folder != nil && len(files(t, s)) != 1 {
			t.Error(files(t, s))
		}
	})
}

// Heads are replaced while bodies are read: a body that moves within its file is never taken for another one, and is not
// kept broken.
func TestBodiesMoveUnderReaders(t *testing.T) {
	s := opened(t, t.TempDir(), roomy())
	want := strings.Repeat("0123456789", 5000) // in the head's file, and too long to stay in memory
	keep(s, entry("k", "max-age=60", "X: 1"), want)
	settle(s)
	old := s.Lookup("k", &noFields, true)
	for i := range 5 {
		s.Refresh(old.Refreshed(entry("", "max-age=60", "X: "+strings.Repeat("longer ", i*10)))) // of the first: a 304 that was under way
		settle(s)
		if src, err := s.Body(old); err == nil {
			if b, _ := io.ReadAll(src); string(b) != want {
				t.Fatalf("%.40q… in place of the body", b)
			}
			src.Close()
		}
		if got := text(t, s, "k", noFields); got != want && got != "-" {
			t.Fatalf("%.40q… is kept", got)
		}
	}
}

// A long answer whose end the disk's queue does not take is not kept.
func TestEndThatIsNotWritten(t *testing.T) {
	s := opened(t, t.TempDir(), roomy())
	r := s.Record(entry("k", ""), 1<<30)
	r.Write(make([]byte, inline+1))
	r.Write([]byte("end"))
	s.folder.waiting.Add(queueMost)
	r.Commit(0)
	settle(s)
	s.folder.waiting.Add(-queueMost)
	if got := text(t, s, "k", noFields); got != "-" || len(files(t, s)) != 0 || s.folder.waiting.Load() != 0 {
		t.Error(len(got), files(t, s), s.folder.waiting.Load())
	}
}

// TestOthersFolder: a folder that others may write is not used: what they put there would be given to clients.
func TestOthersFolder(t *testing.T) {
	root := t.TempDir()
	own := filepath.Join(root, subfolder)
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	for mode, good := range map[os.FileMode]bool{0o777: false, 0o770: false, 0o702: false, 0o755: true, 0o700: true} {
		os.Chmod(own, mode)
		if s, err := OpenFolder(root, roomy(), nil); (err == nil) != good || err != nil && !errors.Is(err, os.ErrPermission) {
			t.Errorf("%o: %v", mode, err)
		} else if good {
			settle(s)
		}
	}
	os.RemoveAll(own)
	if err := os.Symlink("/", own); err != nil {
		t.Fatal(err)
	}
	if s, err := OpenFolder(root, roomy(), nil); err == nil && os.Geteuid() != 0 {
		t.Error("a link that leads elsewhere:", s.folder.root.Name())
	}
}

// TestFilesTakenAway: a body's file that is none any more, or too short, is no answer; nothing waits for it.
func TestFilesTakenAway(t *testing.T) {
	for name, damage := range map[string]func(file string) error{
		"gone":      os.Remove,
		"short":     func(f string) error { return os.Truncate(f, 1000) },
		"empty":     func(f string) error { return os.Truncate(f, 0) },
		"a folder":  func(f string) error { os.Remove(f); return os.Mkdir(f, 0o700) },
		"a pipe":    func(f string) error { os.Remove(f); return syscall.Mkfifo(f, 0o600) },
		"a device":  func(f string) error { os.Remove(f); return os.Symlink("/dev/zero", f) },
		"elsewhere": func(f string) error { os.Remove(f); return os.Symlink("/etc/passwd", f) },
		"itself":    func(f string) error { os.Remove(f); return os.Symlink(f, f) },
	} {
		root := t.TempDir()
		s := opened(t, root, roomy())
		keep(s, entry("short", "max-age=60"), strings.Repeat("s", hotBody+1)) // in its head's file
		keep(s, entry("long", "max-age=60"), strings.Repeat("l", 200_000))
		settle(s)
		for _, f := range files(t, s) {
			if err := damage(f); err != nil {
				t.Fatal(name, err)
			}
		}
		for _, key := range []string{"short", "long"} {
			if got := text(t, s, key, noFields); got != "-" {
				t.Errorf("%s: %s is %d bytes long", name, key, len(got))
			}
			if s.Lookup(key, &noFields, true) != nil {
				t.Errorf("%s: %s is not forgotten", name, key)
			}
		}
		settle(s)
		again := opened(t, root, roomy()) // a start removes what is left
		for end := time.Now().Add(20 * time.Second); len(files(t, again)) > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(name, "left", files(t, again))
			}
		}
		if n := again.Len(); n != 0 {
			t.Errorf("%s: %d after a start", name, n)
		}
	}
}
