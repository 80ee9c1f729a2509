package main

import (
	"balancerd/testdata/ports"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// instance is the program under test with a folder of its own and one member behind it.
type instance struct {
	t      *testing.T
	binary string
	root   string
	port   int
	member *http.Server
	back   string // the member's address
	cmd    *exec.Cmd
	said   bytes.Buffer
	ended  chan struct{}

	waiting atomic.Int64 // requests for /wait/… that the member has and has not answered
}

const processModules = "mpm_event authz_core status slotmem_shm proxy proxy_http proxy_balancer lbmethod_byrequests"

// behind replaces the member's handler.
func (p *instance) behind(h http.Handler) { p.member.Handler = h }

func newInstance(t *testing.T) *instance {
	p := &instance{t: t, binary: buildServer(t), root: t.TempDir(), port: ports.Reserve(t)}
	os.Chmod(p.root, 0o755)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.back = l.Addr().String()
	p.member = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d, err := time.ParseDuration(strings.TrimPrefix(r.URL.Path, "/wait/")); err == nil {
			p.waiting.Add(1)
			time.Sleep(d)
			p.waiting.Add(-1)
		}
		fmt.Fprint(w, "member ", r.URL.Path)
	})}
	go p.member.Serve(l)
	t.Cleanup(func() { p.member.Close() })
	return p
}

// conf writes the configuration: a preamble, and text with {back}, {root} and {port} filled in.
func (p *instance) conf(text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot {root}\nDefaultRuntimeDir {root}\nPidFile httpd.pid\nErrorLog error.log\nServerName localhost\nListen 127.0.0.1:{port}\n")
	for _, m := range strings.Fields(processModules) {
		fmt.Fprintf(&b, "LoadModule %[1]s_module modules/mod_%[1]s.so\n", m)
	}
	b.WriteString(text + "\n")
	return p.write("httpd.conf", b.String())
}

const passAll = "ProxyPass / http://{back}/\n"

func (p *instance) write(name, text string) string {
	p.t.Helper()
	text = strings.NewReplacer("{root}", p.root, "{port}", strconv.Itoa(p.port), "{back}", p.back).Replace(text)
	if err := os.WriteFile(filepath.Join(p.root, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	return filepath.Join(p.root, name)
}

func (p *instance) read(name string) string {
	b, _ := os.ReadFile(filepath.Join(p.root, name))
	return string(b)
}

// start runs the program in the foreground and waits until it listens.
func (p *instance) start(args ...string) {
	p.t.Helper()
	p.cmd = exec.Command(p.binary, append([]string{"-f", p.root + "/httpd.conf", "-DFOREGROUND"}, args...)...)
	p.cmd.Dir = p.root
	dieWithUs(p.cmd)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.ended = make(chan struct{})
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	cmd, ended := p.cmd, p.ended
	go func() { cmd.Wait(); close(ended) }()
	p.t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		if p.t.Failed() {
			p.t.Logf("it said:\n%s\nits log:\n%s", p.said.String(), p.read("error.log"))
		}
	})
	p.until("it serves", func() bool {
		select {
		case <-ended:
			p.t.Fatalf("ended: %s", p.said.String())
		default:
		}
		return strings.Contains(p.read("error.log"), "AH00094")
	})
}

// until waits for something that another process does.
func (p *instance) until(what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("not in ten seconds: %s\n%s", what, p.read("error.log"))
		}
	}
}

func (p *instance) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the program's end and is its status.
func (p *instance) exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		p.t.Fatal("still running")
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *instance) url(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", p.port, path) }

// get is the status and body of one request on a connection of its own.
func (p *instance) get(path string) (int, string) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second}
	r, err := c.Get(p.url(path))
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err.Error()
	}
	return r.StatusCode, string(b)
}

// underWay waits until the member has a request for /wait/….
func (p *instance) underWay() {
	p.t.Helper()
	p.until("the member has the request", func() bool { return p.waiting.Load() > 0 })
}

// reloads counts the configurations put in force since the start.
func (p *instance) reloads() int { return strings.Count(p.read("error.log"), "AH00489") - 1 }

func (p *instance) reload(sig syscall.Signal) {
	p.t.Helper()
	n := p.reloads()
	p.signal(sig)
	p.until("the reload", func() bool { return p.reloads() > n })
}

// run is one call of the program that ends by itself.
func (p *instance) run(args ...string) (exit int, out, errs string) {
	p.t.Helper()
	var o, e bytes.Buffer
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.binary, append([]string{"-f", p.root + "/httpd.conf"}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.root, &o, &e
	dieWithUs(cmd)
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

func (p *instance) pidFile() int {
	n, _ := strconv.Atoi(strings.TrimSpace(p.read("httpd.pid")))
	return n
}

// serving is the process that serves requests; 0 for none, and where there is no /proc.
func (p *instance) serving() int { return servingOf(p.cmd.Process.Pid) }

// servingOf is the process that serves for a main process.
func servingOf(main int) int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", main))
	for _, list := range lists {
		b, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(b)) {
			env, _ := os.ReadFile("/proc/" + child + "/environ")
			if strings.Contains(string(env), "BALANCERD_ROLE=serve") {
				pid, _ := strconv.Atoi(child)
				return pid
			}
		}
	}
	return 0
}

// openLogs counts descriptors of log files in all of the server's processes; 0 where there is no /proc.
func (p *instance) openLogs() (n int) {
	p.t.Helper()
	if _, err := os.Stat("/proc/self/task"); err == nil { // a list of children may miss one for a moment
		p.until("a serving process", func() bool { return p.serving() != 0 })
	}
	for _, pid := range []int{p.cmd.Process.Pid, p.serving()} {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range fds {
			if to, _ := os.Readlink(fd); strings.HasSuffix(to, ".log") {
				n++
			}
		}
	}
	return n
}

// serveEach has serve speak on each connection that comes in, until the test's end.
func serveEach(t testing.TB, l net.Listener, serve func(c net.Conn)) {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
}

// serveBoth is a member of HTTP/1.1 and of HTTP/2 in clear text, until the test's end.
func serveBoth(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

// accepts reports whether somebody listens at an address.
func accepts(address string) bool {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
