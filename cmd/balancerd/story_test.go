package main

import (
	"balancerd/testdata/ports"
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A story is a file of testdata/traffic: a configuration, then what is done to the server. What it
// answered is the golden file beside it, recorded from the real httpd 2.4.71:
//
//	go test ./cmd/balancerd -run TestTraffic                          our answers against the goldens
//	BALANCERD_RECORD=check go test ./cmd/balancerd -run TestTraffic   httpd's answers against the goldens
//	BALANCERD_RECORD=write go test ./cmd/balancerd -run TestTraffic   record them anew
//
// BALANCERD_OURS names a file that ours are left in.
func TestTraffic(t *testing.T) {
	t.Parallel()
	tellStories(t, "traffic")
}

// tellStories tells all of a folder's.
func tellStories(t *testing.T, folder string) {
	files, err := filepath.Glob("../../testdata/" + folder + "/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories in testdata/"+folder, err)
	}
	server := storyServer(t)
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { tellStory(t, server, f) })
	}
}

const realHTTPD = "/usr/sbin/apache2"

// storyServer is the binary that the stories run: ours, or httpd when goldens are recorded or checked.
func storyServer(t *testing.T) string {
	if os.Getenv("BALANCERD_RECORD") != "" {
		if _, err := os.Stat(realHTTPD); err != nil {
			t.Skip("recording needs Debian's apache2 package: ", err)
		}
		return realHTTPD
	}
	return buildServer(t)
}

func tellStory(t *testing.T, server, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	conf, script, ok := strings.Cut(string(text), "\n-- script --\n")
	if !ok {
		t.Fatal("no line '-- script --' in ", file)
	}
	s := newStory(t, server)
	conf, before, _ := strings.Cut(conf, "\n-- before --\n")
	s.fill(conf) // who is named there can be started
	s.play(before)
	s.start(conf)
	s.play(script)
	golden := strings.TrimSuffix(file, ".txt") + ".golden"
	if os.Getenv("BALANCERD_RECORD") == "write" {
		if err := os.WriteFile(golden, s.out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if file := os.Getenv("BALANCERD_OURS"); file != "" {
		os.WriteFile(file, s.out.Bytes(), 0o644)
	}
	if got := s.out.String(); got != string(want) {
		t.Errorf("differs from %s:\n%s", filepath.Base(golden), firstDifference(string(want), got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := line(w, i), line(g, i)
		if a != b {
			from := max(0, i-4)
			return fmt.Sprintf("line %d\n%s\nhttpd: %s\nours:  %s", i+1, strings.Join(w[from:min(i, len(w))], "\n"), a, b)
		}
	}
	return "nothing"
}

func line(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "(the end)"
}

// story is one server under test with its members.
type story struct {
	t       *testing.T
	server  string
	root    string
	port    int
	members map[string]*member
	cmd     *exec.Cmd
	out     bytes.Buffer

	sessions map[string]tls.ClientSessionCache // of TLS stories, by their labels
	asked    *os.Process                       // the OCSP server
	read     int                               // how much of the access log was looked at
	all      bool                              // every field of HTTP/2 is noted
}

func newStory(t *testing.T, server string) *story {
	s := &story{t: t, server: server, root: t.TempDir(), members: map[string]*member{}, sessions: map[string]tls.ClientSessionCache{}}
	os.Chmod(s.root, 0o755)
	os.MkdirAll(s.root+"/docs", 0o755)
	os.WriteFile(s.root+"/mime.types", []byte("text/html html\ntext/plain txt\n"), 0o644)
	s.port = ports.Reserve(t)
	for _, n := range []string{"b1", "b2", "b3"} {
		s.member(n)
	}
	return s
}

const storyModules = `mpm_event authn_core authn_file authz_core authz_host authz_user auth_basic access_compat alias headers setenvif env mime dir rewrite
status ssl socache_shmcb slotmem_shm proxy proxy_http proxy_balancer lbmethod_byrequests lbmethod_bytraffic lbmethod_bybusyness`

// fill puts addresses and folders into a text's {braces}.
func (s *story) fill(text string) string {
	for _, m := range memberName.FindAllStringSubmatch(text, -1) {
		s.member(m[1])
	}
	for n, m := range s.members {
		text = strings.NewReplacer("{"+n+"}", fmt.Sprintf("127.0.0.1:%d", m.port), "{"+n+":port}", fmt.Sprint(m.port)).Replace(text)
	}
	return strings.NewReplacer("{port}", fmt.Sprint(s.port), "{root}", s.root, "{pki}", pki("")).Replace(text)
}

// memberName is where a configuration names a member's port alone.
var memberName = regexp.MustCompile(`{(\w+):port}`)

// member is that of a name; it is started when nobody has named it before.
func (s *story) member(name string) *member {
	if s.members[name] == nil {
		m := &member{t: s.t, name: name, port: ports.Reserve(s.t)}
		s.members[name] = m
		m.start()
		s.t.Cleanup(m.stop)
	}
	return s.members[name]
}

// plain takes them out of an answer again.
func (s *story) plain(text string) string {
	for n, m := range s.members {
		text = strings.NewReplacer(fmt.Sprintf("127.0.0.1:%d", m.port), n, fmt.Sprintf("localhost:%d", m.port), "localhost:"+n).Replace(text)
	}
	text = strings.NewReplacer(s.root, "ROOT", pki(""), "PKI", fmt.Sprintf("127.0.0.1:%d", s.port), "SERVER", fmt.Sprintf(":%d", s.port), ":PORT").Replace(text)
	return regexp.MustCompile(`Apache/2\.4\.\d+( \([^)]*\))?`).ReplaceAllString(text, "Apache/2.4.N")
}

func (s *story) start(conf string) {
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %[1]s\nPidFile %[1]s/httpd.pid\nErrorLog %[1]s/error.log\nServerName localhost\nListen 127.0.0.1:%[2]d\nDefaultRuntimeDir %[1]s\n", s.root, s.port)
	for _, m := range strings.Fields(storyModules) {
		if _, err := os.Stat("/usr/lib/apache2/modules/mod_" + m + ".so"); err == nil || s.server != realHTTPD {
			fmt.Fprintf(&b, "LoadModule %[1]s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", m)
		}
	}
	fmt.Fprintf(&b, "ServerLimit 1\nStartServers 1\nThreadsPerChild 25\nMaxRequestWorkers 25\nDocumentRoot %[1]s/docs\nTypesConfig %[1]s/mime.types\nLogLevel info\n%[2]s\n", s.root, s.fill(conf))
	os.WriteFile(s.root+"/httpd.conf", []byte(b.String()), 0o644)
	if s.cmd != nil {
		return
	}
	s.cmd = exec.Command(s.server, "-f", s.root+"/httpd.conf", "-DFOREGROUND")
	s.cmd.Dir = s.root
	var said bytes.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &said, &said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithUs(s.cmd)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if log, err := os.ReadFile(s.root + "/error.log"); err == nil && s.t.Failed() {
			s.t.Logf("%s%s", said.String(), log)
		}
		s.cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(5*time.Second, func() { syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) })
		s.cmd.Wait()
		timer.Stop()
	})
	for range 500 {
		if accepts(fmt.Sprintf("127.0.0.1:%d", s.port)) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatal("did not start: ", said.String())
}

// play runs the script: paragraphs, each a verb with its lines.
func (s *story) play(script string) {
	for _, p := range strings.Split(strings.TrimSpace(script), "\n\n") {
		head, rest, _ := strings.Cut(strings.TrimSpace(p), "\n")
		words := strings.Fields(head)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "#":
		case "answer": // answer b1 /path 404 X-A: 1 | body
			s.members[words[1]].answer(words[2], words[3], rest)
		case "file": // file docs/a.html, and its text
			s.file(words[1], s.fill(rest))
		case "stop":
			s.members[words[1]].stop()
		case "up":
			s.members[words[1]].start()
		case "sleep":
			d, err := time.ParseDuration(words[1])
			if err != nil {
				s.t.Fatal(err)
			}
			time.Sleep(d)
		case "picks":
			s.picks(words)
		case "edit":
			s.edit(words[1], words[2:])
		case "get":
			s.get(head, rest)
		case "h2", "h2all":
			s.all = words[0] == "h2all"
			s.two(head, rest)
		case "alpn":
			s.alpn(words[1], pairsOf(words[2:]))
		case "wire":
			s.wire(rest)
		case "upgrade":
			s.upgrade(words[1], rest)
		case "plain":
			s.say(strings.TrimPrefix(head, "plain "))
		case "secure":
			s.secure(words[1], pairsOf(words[2:]))
		case "responder":
			s.responder(pairsOf(words[1:]))
		case "brief": // brief host, and a path a line
			s.brief(words[1], strings.Split(rest, "\n"))
		case "silence":
			s.silence()
		case "log":
			s.lines(len(words) > 1)
		case "manager":
			s.manager()
		default:
			s.request(head, rest)
		}
	}
}

// file writes a file of the server's folder.
func (s *story) file(name, text string) {
	name = filepath.Join(s.root, name)
	os.MkdirAll(filepath.Dir(name), 0o755)
	if err := os.WriteFile(name, []byte(text+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// brief asks for paths, and notes of each answer in a line what rules make of a request: the status, what the fields say
// that show it, and the first line of a document.
func (s *story) brief(host string, paths []string) {
	for _, path := range paths {
		raw := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nX-A: a\r\nConnection: close\r\n\r\n"
		r, text, err := s.send(s.fill(raw), "GET")
		if err != nil {
			fmt.Fprintf(&s.out, "%s no answer\n", path)
			continue
		}
		fmt.Fprintf(&s.out, "%s %d", path, r.StatusCode)
		for _, name := range []string{"Location", "Vary", "X-E", "X-F", "X-T", "X-Seen", "X-Base", "Set-Cookie"} {
			for _, v := range r.Header.Values(name) {
				fmt.Fprintf(&s.out, " %s: %s", name, s.plain(cookieDate.ReplaceAllString(v, "expires=DATE")))
			}
		}
		if first, _, _ := strings.Cut(text, "\n"); r.StatusCode == 200 && !strings.HasPrefix(first, "<!DOCTYPE") {
			fmt.Fprintf(&s.out, " | %s", s.plain(first))
		}
		s.out.WriteString("\n")
	}
	s.out.WriteString("\n")
}

// cookieDate is when a cookie ends.
var cookieDate = regexp.MustCompile(`expires=[^;]*GMT`)

// request sends "METHOD /path" with header lines, and a body after a line of its own "|".
func (s *story) request(head, rest string) {
	fields, body, hasBody := strings.Cut(rest, "\n|")
	if strings.HasPrefix(rest, "|") {
		fields, body, hasBody = "", rest[1:], true
	}
	raw := head + " HTTP/1.1\r\n"
	if !strings.Contains(strings.ToLower("\n"+fields), "\nhost:") {
		raw += "Host: localhost\r\n"
	}
	for _, f := range strings.Split(fields, "\n") {
		if f != "" {
			raw += f + "\r\n"
		}
	}
	if hasBody {
		raw += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	raw += "Connection: close\r\n\r\n" + body
	fmt.Fprintf(&s.out, "> %s\n", head)
	r, text, err := s.send(s.fill(raw), strings.Fields(head)[0])
	if err != nil {
		fmt.Fprintf(&s.out, "< no answer\n\n")
		return
	}
	fmt.Fprintf(&s.out, "< %d\n", r.StatusCode)
	var lines []string
	for k, v := range r.Header {
		switch k {
		case "Date", "Server", "Etag", "Last-Modified", "Connection", "Keep-Alive", "Content-Length", "Accept-Ranges":
		default:
			lines = append(lines, "< "+plainField(k+": "+strings.Join(v, " & "))+"\n")
		}
	}
	sort.Strings(lines)
	s.out.WriteString(s.plain(strings.Join(lines, "")) + s.plain(text) + "\n")
}

func (s *story) send(raw, method string) (*http.Response, string, error) {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", s.port), 5*time.Second)
	if err != nil {
		return nil, "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(15 * time.Second))
	io.WriteString(c, raw)
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		return nil, "", err
	}
	b, _ := io.ReadAll(r.Body)
	return r, string(b), nil
}

func (s *story) picks(words []string) {
	n, path := 0, "/"
	fmt.Sscan(words[1], &n)
	cookie := ""
	for _, w := range words[2:] {
		if strings.HasPrefix(w, "/") {
			path = w
		} else {
			cookie = "Cookie: " + w + "\r\n"
		}
	}
	var who []string
	for range n {
		r, _, err := s.send("GET "+path+" HTTP/1.1\r\nHost: localhost\r\n"+cookie+"Connection: close\r\n\r\n", "GET")
		switch {
		case err != nil:
			who = append(who, "none")
		case r.Header.Get("X-Backend") != "":
			who = append(who, r.Header.Get("X-Backend"))
		default:
			who = append(who, fmt.Sprint(r.StatusCode))
		}
	}
	time.Sleep(50 * time.Millisecond) // a member is busy until its answer is logged, a moment after the client has it
	fmt.Fprintf(&s.out, "> %s\n%s\n\n", strings.Join(words, " "), strings.Join(who, " "))
}

// manager notes the cells of the members' tables, without what differs from run to run.
func (s *story) manager() {
	r, page, err := s.send("GET /balancer-manager HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "GET")
	if err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(&s.out, "> manager\n< %d\n", r.StatusCode)
	row := regexp.MustCompile(`(?s)<tr>\s*<td>.*?</tr>`)
	tag := regexp.MustCompile(`<[^>]*>`)
	for _, m := range row.FindAllString(page, -1) {
		cells := strings.Split(strings.ReplaceAll(m, "\n", ""), "</td>")
		var out []string
		for _, c := range cells {
			out = append(out, strings.TrimSpace(tag.ReplaceAllString(c, "")))
		}
		if len(out) > 9 {
			out = append(out[:9], out[11:]...) // To and From count our own heads
		}
		fmt.Fprintln(&s.out, s.plain(strings.Join(out, " | ")))
	}
	s.out.WriteString("\n")
}

var nonceText = regexp.MustCompile(`b=(\w+)&amp;nonce=([-0-9a-f]+)`)

// edit submits the manager's form: edit BALANCER [worker] field=value …
func (s *story) edit(balancer string, words []string) {
	_, page, err := s.send("GET /balancer-manager HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "GET")
	if err != nil {
		s.t.Fatal(err)
	}
	form := url.Values{"b": {balancer}}
	for _, m := range nonceText.FindAllStringSubmatch(page, -1) {
		if m[1] == balancer {
			form.Set("nonce", m[2])
		}
	}
	for _, w := range words {
		if k, v, ok := strings.Cut(w, "="); ok {
			form.Set(k, s.fill(v))
		} else {
			form.Set("w", "http://"+s.fill(w))
		}
	}
	body := form.Encode()
	r, _, err := s.send(fmt.Sprintf("POST /balancer-manager HTTP/1.1\r\nHost: localhost\r\nReferer: http://localhost/balancer-manager\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body), "POST")
	if err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(&s.out, "> edit %s %s\n< %d\n\n", balancer, strings.Join(words, " "), r.StatusCode)
}
