package sed

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/filter"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "sed"

func modules(answer func(string) sitetest.Answer) []site.Module {
	return []site.Module{core.Module(), filter.Core(), Module(), sitetest.Answering(answer)}
}

// quoted is a word of a configuration.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// directives are a script's lines as directives.
func directives(name string, lines []string) (text string) {
	for _, l := range lines {
		text += name + " " + quoted(l) + "\n"
	}
	return text
}

// recorded reads a file of what httpd 2.4.71 does, each line an array in JSON whose characters are bytes.
func recorded(t testing.TB, name string, each func(row []any)) {
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var row []any
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		each(row)
	}
}

// text is bytes that were written as characters; "" for null.
func textOf(v any) string {
	s, _ := v.(string)
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func linesOf(v any) (lines []string) {
	for _, l := range v.([]any) {
		lines = append(lines, textOf(l))
	}
	return lines
}

// TestAnswers: what httpd 2.4.71 made of bodies, whatever pieces they come in, of requests as of answers. Where it made
// nothing the answer breaks off.
func TestAnswers(t *testing.T) {
	recorded(t, "answers.jsonl", func(row []any) {
		lines, body, want := linesOf(row[0]), textOf(row[1]), textOf(row[2])
		a := sitetest.Answer{Body: body}
		r := sitetest.New(t, preload, "SetOutputFilter Sed\n<Location />\n"+directives("OutputSed", lines)+"</Location>\n", modules(func(string) sitetest.Answer { return a })...)
		for _, a.Piece = range []int{0, 1, 3, 8} {
			x := r.Get("GET / HTTP/1.1")
			got, err := io.ReadAll(x.Res.Body)
			if string(got) != want || (err != nil) != (row[2] == nil) {
				t.Errorf("%q on %q, pieces of %d:\n got %q %v\nwant %q", lines, body, a.Piece, got, err, want)
			}
		}
		in := sitetest.New(t, preload, "SetInputFilter Sed\n<Location />\n"+directives("InputSed", lines)+"</Location>\n", modules(func(string) sitetest.Answer { return sitetest.Answer{} })...)
		x := sitetest.Request("POST / HTTP/1.1")
		sitetest.PostBody(x, body)
		in.Site.Serve(context.Background(), x)
		if got := x.Res.Header.Get("X-Got"); row[2] != nil && got != want || (row[2] == nil) != (x.Res.Status == 400) {
			t.Errorf("%q on a request's %q: %d %q, want %q", lines, body, x.Res.Status, got, want)
		}
	})
}

// TestWords: what httpd 2.4.71 says of commands.
func TestWords(t *testing.T) {
	recorded(t, "words.jsonl", func(row []any) {
		line, want := textOf(row[0]), textOf(row[1])
		if got := sitetest.Refused(preload, "<Location />\n"+directives("OutputSed", []string{line})+"</Location>\n", modules(nil)...); got != want {
			t.Errorf("%q:\n got %s\nwant %s", line, got, want)
		}
	})
}

// TestBounds: how much a script may hold, as in httpd but for the depth of blocks, at which it writes beyond its memory.
func TestBounds(t *testing.T) {
	const failed = "Failed to compile sed expression. "
	repeated := func(n int, format string) (lines []string) {
		for i := range n {
			lines = append(lines, strings.ReplaceAll(format, "%d", fmt.Sprint(i)))
		}
		return lines
	}
	long := strings.Repeat("b", 500)
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{repeated(48, ":l%d"), ""}, {repeated(49, ":l%d"), "too many labels: :l48"},
		{repeated(255, "%dp"), ""}, {repeated(256, "%dp"), "command garbled: 255p"},
		{repeated(11, "w /nowhere/%d"), ""}, {repeated(12, "w /nowhere/%d"), "too many files in w commands"}, {repeated(12, "w /nowhere/1"), ""},
		{repeated(39, "y/a/b/"), ""}, {repeated(40, "y/a/b/"), "too much command text: y/a/b/"},
		{repeated(19, "s/a/"+long+"/"), ""}, {repeated(20, "s/a/"+long+"/"), "too much command text: s/a/" + long + "/"},
		{repeated(9, "s/"+long+"/a/"), ""}, {repeated(10, "s/"+long+"/a/"), "too much command text: s/" + long + "/a/"},
		{repeated(10, "/"+long+"/p"), "label too long: /" + long + "/p"}, // the tenth expression is none, and b the command
		{repeated(20, "{"), ""}, {repeated(21, "{"), "too many {'s"},
		{[]string{"s/a/" + strings.Repeat("b", 994) + "/"}, ""}, {[]string{"z" + strings.Repeat("b", 1000)}, ""},
	} {
		if c.want != "" {
			c.want = failed + c.want
		}
		if got := sitetest.Refused(preload, "<Location />\n"+directives("InputSed", c.lines)+"</Location>\n", modules(nil)...); got != c.want {
			t.Errorf("%d times %.20s:\n got %s\nwant %s", len(c.lines), c.lines[0], got, c.want)
		}
	}
}

// TestHints: what httpd takes for nothing without a word.
func TestHints(t *testing.T) {
	for line, want := range map[string]string{`s/a/b\`: "OutputSed: what ends in a backslash is taken for nothing, as in httpd", strings.Repeat("p;", 501): "OutputSed: more than 1000 bytes are taken for nothing, as in httpd", "p": ""} {
		c, err := sitetest.Bind(preload, "<Location />\n"+directives("OutputSed", []string{line})+"</Location>\n", modules(nil)...)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, h := range c.Hints {
			if h.Name == "OutputSed" {
				got += h.Text
			}
		}
		if got != want {
			t.Errorf("%.20s: %q", line, got)
		}
	}
}

// TestPlaces: the innermost section that has any script counts, for both directions.
func TestPlaces(t *testing.T) {
	r := sitetest.New(t, preload, `
SetOutputFilter Sed
SetInputFilter Sed
<Location />
OutputSed s/a/A/
InputSed s/x/X/
</Location>
<Location /in>
OutputSed s/b/B/
OutputSed s/c/C/
</Location>
<Location /in/two>
InputSed s/y/Y/
</Location>
<If "%{QUERY_STRING} == 'q'">
OutputSed s/d/D/
</If>
`, modules(func(string) sitetest.Answer { return sitetest.Answer{Body: "abcd"} })...)
	for path, want := range map[string]struct{ answer, request string }{"/": {"Abcd\n", "Xy\n"}, "/in": {"aBCd\n", "xy"}, "/in/two": {"abcd", "xY\n"}, "/in?q": {"abcD\n", "xy"}} {
		x := sitetest.Request("POST " + path + " HTTP/1.1")
		sitetest.PostBody(x, "xy")
		r.Site.Serve(context.Background(), x)
		if got := sitetest.Body(x); got != want.answer || x.Res.Header.Get("X-Got") != want.request {
			t.Errorf("%s: %q %q", path, got, x.Res.Header.Get("X-Got"))
		}
	}
}

// TestHeads: a length goes where there is a body, all else stays.
func TestHeads(t *testing.T) {
	a := sitetest.Answer{Fields: "ETag: \"x\"|Content-MD5: y|Content-Length: 3"}
	r := sitetest.New(t, preload, "SetOutputFilter Sed\n<Location />\nOutputSed s/a/bb/\n</Location>\n<Location /none>\nSetOutputFilter sed\n</Location>\n", modules(func(string) sitetest.Answer { return a })...)
	for _, c := range []struct {
		method, body string
		status       int
		length       int64
		kept         bool
	}{{"GET", "abc", 200, 5, false}, {"GET", "", 200, 0, true}, {"HEAD", "abc", 200, 3, true}, {"GET", "", 304, 0, true}, {"GET", "abc", 404, 5, false}, {"GET", "", 204, 0, true}} {
		a.Body, a.Status = c.body, c.status
		x := r.Get(c.method + " / HTTP/1.1")
		if h := x.Res.Header; x.Res.Length != c.length || h.Has("Content-Length") != c.kept || !h.Has("ETag") || !h.Has("Content-MD5") {
			t.Errorf("%s %d: %d %v", c.method, c.status, x.Res.Length, h.F)
		}
	}
}

// TestFailures: a script that is not whole, or whose file can't be written, ends the answer before it begins, and is the
// client's fault in a request.
func TestFailures(t *testing.T) {
	for line, want := range map[string]string{
		"{": "[sed:error] AH02998: too many {'s\n[sed:error] (20014)Internal error (specific information not available): AH1039X", "b nowhere": "[sed:error] AH02998: undefined label: nowhere\n[sed:error] (20014)Internal error (specific information not available): AH1039X",
		"w /nowhere/x": "[sed:error] AH02998: cannot open /nowhere/x",
	} {
		r := sitetest.New(t, preload, "SetOutputFilter Sed\nSetInputFilter Sed\n<Location /out>\nOutputSed "+quoted(line)+"\n</Location>\n<Location /in>\nInputSed "+quoted(line)+"\n</Location>\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Body: "x"} })...)
		if x := r.Get("GET /out HTTP/1.1"); !x.Res.Drop {
			t.Errorf("%s: %d, not dropped", line, x.Res.Status)
		}
		if log := r.Log.Take(); log != strings.ReplaceAll(want, "AH1039X", "AH10394: error evaluating sed on output") {
			t.Errorf("%s:\n got %s\nwant %s", line, log, want)
		}
		x := sitetest.Request("POST /in HTTP/1.1")
		sitetest.PostBody(x, "x")
		r.Site.Serve(context.Background(), x)
		if log := r.Log.Take(); x.Res.Status != 400 || log != strings.ReplaceAll(want, "AH1039X", "AH10395: error evaluating sed on input") {
			t.Errorf("%s: %d\n got %s\nwant %s", line, x.Res.Status, log, want)
		}
		if x := r.Get("POST /in HTTP/1.1"); x.Res.Status != 200 {
			t.Errorf("%s: a request without a body got %d", line, x.Res.Status)
		}
	}
}

// TestFiles: r gives a file behind the line, w writes from a file's beginning.
func TestFiles(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("in.txt", "from a file\nwithout end")
	write("old.txt", "0123456789")
	full := fullPipe(t, filepath.Join(root, "pipe"))
	large := strings.Repeat("large\n", 100000)
	write("large.txt", large)
	const file = "from a file\nwithout end"
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"/two/r ROOT/in.txt"}, "one\ntwo\n" + file + "three\n"}, {[]string{"$r ROOT/in.txt"}, "one\ntwo\nthree\n" + file},
		{[]string{"r ROOT/in.txt", "d"}, file + file + file}, {[]string{"2r ROOT/in.txt", "n"}, "one\ntwo\nthree\n"}, {[]string{"1r ROOT/in.txt", "N"}, file + "one\ntwo\n"},
		{[]string{"2r ROOT/i\\n.txt", "2q"}, "one\ntwo\n" + file}, {[]string{"2r ROOT/gone"}, "one\ntwo\nthree\n"}, {[]string{"2r ROOT"}, "one\ntwo\nthree\n"}, {[]string{"2r /dev/zero"}, "one\ntwo\nthree\n"},
		{[]string{"$r ROOT/large.txt", "1r ROOT/large.txt"}, "one\n" + large + "two\nthree\n" + large},
		{[]string{"w ROOT/w.txt"}, "one\ntwo\nthree\n"}, {[]string{"s/o/0/w ROOT/sw.txt"}, "0ne\ntw0\nthree\n"}, {[]string{"2w ROOT/old.txt"}, "one\ntwo\nthree\n"}, {[]string{"w ROOT/wr.txt", "$r ROOT/wr.txt"}, "one\ntwo\nthree\none\ntwo\nthree\n"},
		{[]string{"w " + fullDevice, "s/o/0/w " + fullDevice}, "0ne\ntw0\nthree\n"}, {[]string{"w ROOT/pipe"}, "one\ntwo\nthree\n"},
	} {
		for i := range c.lines {
			c.lines[i] = strings.ReplaceAll(c.lines[i], "ROOT", root)
		}
		r := sitetest.New(t, preload, "SetOutputFilter Sed\n<Location />\n"+directives("OutputSed", c.lines)+"</Location>\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Body: "one\ntwo\nthree"} })...)
		for range 2 {
			if got := sitetest.Body(r.Get("GET / HTTP/1.1")); got != c.want {
				t.Errorf("%q:\n got %.200q\nwant %.200q", c.lines, got, c.want)
			}
		}
	}
	took := make([]byte, 1<<20)
	if n, _ := full.Read(took); n == 0 || strings.Trim(string(took[:n]), "x") != "" {
		t.Errorf("%d bytes in the pipe, %.20q", n, took)
	}
	for name, want := range map[string]string{"w.txt": "one\ntwo\nthree\n", "sw.txt": "0ne\ntw0\n", "old.txt": "two\n456789"} {
		if got, _ := os.ReadFile(filepath.Join(root, name)); string(got) != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// fullDevice has room for nothing. Not all systems have one.
var fullDevice = "/dev/full"

func init() {
	if _, err := os.Stat(fullDevice); err != nil {
		fullDevice = "/dev/null"
	}
}

// fullPipe makes a pipe that has no room. Who waits for it does so until a minute is over.
func fullPipe(t *testing.T, name string) *os.File {
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Write(func(fd uintptr) bool {
		for err == nil {
			_, err = syscall.Write(int(fd), []byte{'x'})
		}
		return true
	})
	over := time.AfterFunc(time.Minute, func() { t.Error("w waits for a pipe"); f.Close() })
	t.Cleanup(func() { over.Stop(); f.Close() })
	return f
}

// TestManyReads: a line queues 20 files, which httpd does not survive. That it would queue more is told once.
func TestManyReads(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	os.WriteFile(name, []byte("x"), 0o644)
	r := sitetest.New(t, preload, "SetOutputFilter Sed\n<Location />\n"+strings.Repeat("OutputSed \"r "+name+"\"\n", 22)+"</Location>\n", modules(func(string) sitetest.Answer { return sitetest.Answer{Body: "a\na"} })...)
	if got, one := sitetest.Body(r.Get("GET / HTTP/1.1")), "a\n"+strings.Repeat("x", 20); got != one+one {
		t.Errorf("%q", got)
	}
	if log := r.Log.Take(); log != "[sed:error] AH02998: too many reads after line 1" {
		t.Error(log)
	}
}

// TestWithheld: a line at whose end nothing more is there waits, as it may be the last; all others come at once.
func TestWithheld(t *testing.T) {
	s := &script{}
	if _, err := s.add("$s/$/!/"); err != nil {
		t.Fatal(err)
	}
	out := ""
	w := &rewriter{machine: newMachine(s, &exchange.Exchange{}), to: writerFunc(func(p []byte) { out += string(p) })}
	for _, step := range []struct{ piece, want string }{{"one\ntw", "one\n"}, {"o\n", ""}, {"\n", "two\n"}, {"x", "\n"}} {
		out = ""
		if w.Write([]byte(step.piece)); out != step.want {
			t.Errorf("%q: %q", step.piece, out)
		}
	}
	out = ""
	if w.Close(); out != "x!\n" {
		t.Errorf("%q", out)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// compiled is the script of some directives.
func compiled(t testing.TB, lines ...string) *script {
	s := &script{}
	for _, l := range lines {
		if _, err := s.add(l); err != nil {
			t.Fatalf("%q: %v", lines, err)
		}
	}
	return s
}

// TestEndless: a script that goes on for ever ends, and what comes of it is never held as a whole.
func TestEndless(t *testing.T) {
	whole := strings.Repeat("x", mostSpace-1)
	long := whole[:1<<20]
	file := filepath.Join(t.TempDir(), "f")
	for _, c := range []struct {
		lines []string
		body  string
	}{
		{[]string{":a", "b a"}, "x\n"}, {[]string{":a", "p", "b a"}, "x\n"}, {[]string{":a", "s/^/x/", "t a"}, "x\n"}, {[]string{":a", "G", "h", "b a"}, "x\n"},
		{[]string{"$!d", ":a", "p", "b a"}, "x\n"}, {[]string{`s/\(\)/x/g`}, "x\n"}, {[]string{`s/\(\)/x/3`, ":a", "b a"}, "x\n"}, {[]string{":a", "=;b a"}, "x\n"},
		{[]string{":a", "w " + file, "b a"}, "x\n"}, {[]string{":a", "r /nowhere", "b a"}, "x\n"}, {[]string{":a", "r /nowhere", "$!b a", "p", "b a"}, "x\n"},
		{[]string{":a", "/z/b", "b a"}, whole}, {[]string{":a", "/zz*y/b", "b a"}, long}, {[]string{":a", "/[z]*y/b", "b a"}, long}, {[]string{":a", "x", "x", "b a"}, whole}, {[]string{":a", "/END/!{", "N", "s/^y*/y/", "b a", "}"}, whole[:mostSpace-1<<20] + strings.Repeat("\n", 1<<10)}, {[]string{":a", "h", "g", "b a"}, long},
		{[]string{":a", "h", "y/a/b/", "b a"}, long}, {[]string{":a", "y/a/b/", "/z/b", "b a"}, long}, {[]string{":a", "s/x$/x/", "b a"}, long}, {[]string{":a", `/\(x*\)\1*z/b`, "b a"}, long}, {[]string{":a", "N", "/[yz]z*z/!b a"}, long + strings.Repeat("\n", 1<<10)},
		{[]string{":a", "$!N", "P", "s/x//", "b a"}, long + "\n\n"}, {[]string{"s/.*/&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&/"}, long},
	} {
		m := newMachine(compiled(t, c.lines...), &exchange.Exchange{})
		m.left = 1<<21 - len(c.body)*stepsPerByte
		m.feed([]byte(c.body))
		lines := c.lines
		most, err := 0, error(nil)
		for closed := false; err == nil; {
			var stopped bool
			if stopped, err = m.run(); !stopped && err == nil {
				if closed {
					t.Fatalf("%q has an end", lines)
				}
				m.close()
				closed = true
			}
			most = max(most, len(m.out))
			m.out = m.out[:0]
		}
		if err != errEndless && err != errTooLong || most > mostOut+max(mostSpace/8, len(c.body)) || cap(m.made) > 2*mostSpace {
			t.Errorf("%q: %v, %d bytes at once, %d of a replacement", lines, err, most, cap(m.made))
		}
		m.release()
	}
}

// steps is what a script does over a body that comes at once.
func steps(t testing.TB, s *script, body string) int {
	m := newMachine(s, &exchange.Exchange{})
	m.left = mostSteps - len(body)*stepsPerByte
	m.feed([]byte(body))
	m.close()
	for stopped := true; stopped; {
		var err error
		if stopped, err = m.run(); err != nil {
			t.Fatal(err)
		}
		m.out = m.out[:0]
	}
	return mostSteps - m.left
}

// TestCounted: all that grows with the pattern space, or with the hold space, counts for something.
func TestCounted(t *testing.T) {
	const n = 1 << 20
	as := strings.Repeat("a", n)
	for _, c := range []struct{ line, body string }{
		{"/z/p", as}, {"/^z/p", as}, {"/z$/p", as}, {"/a[b]/p", as}, {"x;x", as}, {"P", as}, {"h", as}, {"H", as}, {"h;g", as}, {"h;G", as}, {"D", as}, {"N;D", as + "\n" + as}, {"N;P", as + "\nb"},
		{"y/a/b/", as}, {"s/a/b/", as}, {"s/$/b/", as}, {"s/aa*/b/", as}, {"s/z/b/2", as}, {"s/a/b/2", as}, {"l", as}, {"p", as}, {`N;s/^\(.*\)\n\1$/x/`, as + "\n" + as}, {`N;/^\(a*\)\n\1*b/p`, as + "\n" + as},
	} {
		s := compiled(t, "#n", c.line, "d")
		small := steps(t, s, strings.ReplaceAll(c.body, as, "aa"))
		if got := steps(t, s, c.body); got < small+n/bytesAStep {
			t.Errorf("%s: %d steps, of two bytes %d", c.line, got, small)
		}
	}
	if got := steps(t, compiled(t, "#n", "r /nowhere"), "a\nb\n"); got < 2*fileSteps {
		t.Errorf("r: %d steps", got)
	}
}

// TestGathering: a script that gathers lines until there is what it waits for does not look at all of them for each one.
func TestGathering(t *testing.T) {
	for _, until := range []string{"END", "E.D", "[E]ND$", "EN*D", `\(EN\)D`, "[^\\n]ND"} {
		s := compiled(t, ":a", "/"+until+"/!{", "N", "b a", "}", "s/\\n/,/g")
		cost := func(n int) int { return steps(t, s, strings.Repeat("line\n", n)+"END\nmore\nEND\n") }
		if one, ten := cost(1000), cost(10000); ten > 12*one {
			t.Errorf("%s: %d steps of 1,000 lines, %d of 10,000", until, one, ten)
		}
		if got, _ := run(s, "a\nEN\nD\nE\nxEND\nEND\nb\nE", 100); got != "a,EN,D,E,xEND\nEND\n" {
			t.Errorf("%s: %q", until, got)
		}
	}
}

// TestGroups: a group is known behind its \), and not inside of itself.
func TestGroups(t *testing.T) {
	for line, want := range map[string]string{
		`s/\(a\(b\)\)\2/<\1>/`: "xx<ab>ab\n", `s/\(a\)\(b\(b\)\1\)/<\3>/`: "xx<b>b\n",
		`s/\(a\(b\)\1\)/x/`: "", `s/\(a\)\(b\(c\)\2\)/x/`: "", `/\(a\(b\)\(c\)\1\)/p`: "",
	} {
		s := &script{}
		_, err := s.add(line)
		if want == "" {
			if err == nil {
				t.Errorf("%s is taken", line)
			}
			continue
		}
		if got, rerr := run(s, "xxabbab", 100); err != nil || rerr != nil || got != want {
			t.Errorf("%s: %v %v %q", line, err, rerr, got)
		}
	}
}

// TestDelimiters: whatever a delimiter is, what is read up to it ends.
func TestDelimiters(t *testing.T) {
	for _, name := range []string{"y", "s", "\\", "/", "p;y", "/a/s", "/a/,\\"} {
		for _, delimiter := range []string{"n", "\\", "\n", "\x00", "a", "1", "{", "[", "]", "*", "&", ";", "!", ",", "\xff"} {
			for _, text := range []string{"", `\n`, `\\n`, `\\nab`, "ab", `a\`, "[a", "[^", "a[-", `\(`, `\{1`, `\{1,`, `\1`, "\x00", "\\\x00"} {
				(&script{}).add(name + delimiter + text)
				(&script{}).add(name + delimiter + text + delimiter + text)
				(&script{}).add(name + delimiter + text + delimiter + text + delimiter)
			}
		}
	}
}

// TestBacktracking: an expression that would take time by the line's length to the fourth ends, too, and is cheap where it
// is found at once.
func TestBacktracking(t *testing.T) {
	for line, ends := range map[string]bool{strings.Repeat("a", 100000): false, strings.Repeat("a", 100000) + "b": true} {
		s := &script{}
		if _, err := s.add("s/^a*a*a*a*b$/x/"); err != nil {
			t.Fatal(err)
		}
		m := newMachine(s, &exchange.Exchange{})
		m.left = 1<<20 - len(line)*stepsPerByte
		m.feed([]byte(line))
		m.close()
		if _, err := m.run(); (err == nil) != ends || ends && string(m.out) != "x\n" {
			t.Errorf("%v: %v %q", ends, err, m.out)
		}
	}
}

// TestLongLines: a line, and the hold space, are 8 MiB long at most, as in httpd.
func TestLongLines(t *testing.T) {
	for _, c := range []struct {
		n     int
		end   string
		lines string
		err   error
	}{{mostSpace - 1, "\n", "p", nil}, {mostSpace - 1, "", "p", nil}, {mostSpace, "\nx", "p", errTooLong}, {mostSpace, "", "p", errTooLong}, {mostSpace / 2, "", "h;G", errTooLong}, {mostSpace/2 - 1, "", "h;G", nil}, {mostSpace / 2, "", "h;H", errTooLong}, {mostSpace - 1, "", "s/^/x/", errTooLong}, {mostSpace - 2, "", "s/^/x/", nil}} {
		s := &script{}
		if _, err := s.add(c.lines); err != nil {
			t.Fatal(err)
		}
		m := newMachine(s, &exchange.Exchange{})
		m.feed([]byte(strings.Repeat("a", c.n) + c.end))
		m.close()
		var err error
		for stopped := true; stopped && err == nil; {
			stopped, err = m.run()
			m.out = m.out[:0]
		}
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%d bytes, %s: %v", c.n, c.lines, err)
		}
	}
}

// TestCost: what a body costs grows with its length, not with its square.
func TestCost(t *testing.T) {
	cost := func(n int) time.Duration {
		best := time.Hour
		for range 5 {
			s := &script{}
			s.add("s/foo/bar/g;/x$/s/a*b/c/")
			m := newMachine(s, &exchange.Exchange{})
			begin := time.Now()
			for range n {
				m.feed([]byte(strings.Repeat("a line with foo and foo in it\n", 100)))
				for stopped := true; stopped; {
					stopped, _ = m.run()
					m.out = m.out[:0]
				}
			}
			best = min(best, time.Since(begin))
		}
		return best
	}
	if one, ten := cost(20), cost(200); ten > 40*one {
		t.Errorf("%v for one, %v for ten times as much", one, ten)
	}
}
