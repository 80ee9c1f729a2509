//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"balancerd/testdata/linear"
)

const managed = `<Proxy balancer://app>
BalancerMember http://{back} route=a
BalancerMember http://127.0.0.1:1 route=b
ProxySet growth=3
</Proxy>
ProxyPass /app/ balancer://app/
<Location /balancer-manager>
SetHandler balancer-manager
</Location>
<Location /server-status>
SetHandler server-status
</Location>
LoadModule status_module modules/mod_status.so
`

// kill ends the serving process as the system's own killer does, and waits for the next one.
func (p *instance) kill(sig syscall.Signal) (before, after int) {
	p.t.Helper()
	before = p.serving()
	if before == 0 {
		p.t.Fatal("no process serves")
	}
	syscall.Kill(before, sig)
	p.until("the next serving process", func() bool {
		after = p.serving()
		return after != 0 && after != before && strings.Contains(p.read("error.log"), fmt.Sprintf("process %d serves now", after))
	})
	return before, after
}

var pageNonce = regexp.MustCompile(`nonce=([-0-9a-f]+)`)

func (p *instance) nonce() string {
	_, page := p.get("/balancer-manager")
	if m := pageNonce.FindStringSubmatch(page); m != nil {
		return m[1]
	}
	return ""
}

func (p *instance) edit(form url.Values) {
	p.t.Helper()
	form.Set("b", "app")
	form.Set("nonce", p.nonce())
	q, _ := http.NewRequest("POST", p.url("/balancer-manager"), strings.NewReader(form.Encode()))
	q.Header.Set("Referer", p.url("/balancer-manager"))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	if b, _ := io.ReadAll(r.Body); r.StatusCode != 200 {
		p.t.Fatalf("%d %s", r.StatusCode, b)
	}
}

// A serving process that dies is replaced: the log says what httpd's says, connections that came in between
// are served, and edits, conditions, counters and open pages are as they were.
func TestServingProcessIsReplaced(t *testing.T) {
	t.Parallel()
	for _, persist := range []string{"", "BalancerPersist On\n"} {
		t.Run("persist "+persist, func(t *testing.T) {
			t.Parallel()
			p := newInstance(t)
			p.conf(managed + persist)
			p.start()
			p.edit(url.Values{"w": {"http://" + p.back}, "w_lf": {"7"}, "w_lr": {"z"}})
			p.edit(url.Values{"b_nwrkr": {"http://127.0.0.1:2"}, "b_wyes": {"1"}})
			for range 20 {
				p.get("/app/x")
			}
			time.Sleep(1100 * time.Millisecond) // counters are written down once a second
			page := func() string {
				_, page := p.get("/balancer-manager")
				return page
			}
			before, nonce := page(), p.nonce()
			if !strings.Contains(before, "127.0.0.1:2") || !strings.Contains(before, "7.00") || !strings.Contains(before, "Init Err") {
				t.Fatal(before)
			}
			pid, _ := p.kill(syscall.SIGKILL)
			if after := page(); after != before {
				now := strings.Split(after, "\n")
				for i, line := range strings.Split(before, "\n") {
					if i >= len(now) || now[i] != line {
						t.Errorf("persist %q: %s\nafter: %s", persist, line, now[min(i, len(now)-1)])
					}
				}
			}
			if p.nonce() != nonce {
				t.Error("pages that are open can't edit any more")
			}
			if log := p.read("error.log"); !strings.Contains(log, fmt.Sprintf("[core:notice] [pid %d:", p.cmd.Process.Pid)) || !strings.Contains(log, fmt.Sprintf("AH00052: child pid %d exit signal Killed (9)", pid)) {
				t.Error(log)
			}
			p.reload(syscall.SIGUSR1)
			if again := page(); persist == "" && strings.Contains(again, "7.00") {
				t.Error("a reload keeps an edit of before the death:", again)
			}
			if status, _ := p.get("/app/x"); status != 200 {
				t.Error("after the reload:", status)
			}
			p.signal(syscall.SIGTERM)
			if exit := p.exit(); exit != 0 || p.serving() != 0 || p.pidFile() != 0 {
				t.Error("exit", exit, "pid file", p.pidFile())
			}
		})
	}
}

// Only what is under way when the serving process is killed is lost: who connects meanwhile waits.
func TestOnlyRequestsUnderWayAreLost(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	p.start()
	stop := make(chan struct{})
	var all sync.WaitGroup
	var refused, served atomic.Int64
	for range 8 {
		all.Go(func() {
			c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := c.Get(p.url("/x"))
				if err == nil {
					io.Copy(io.Discard, r.Body)
					r.Body.Close()
					served.Add(1)
				} else if strings.Contains(err.Error(), "refused") {
					refused.Add(1)
				}
			}
		})
	}
	p.until("requests", func() bool { return served.Load() > 20 })
	p.kill(syscall.SIGKILL)
	n := served.Load()
	p.until("requests of the next process", func() bool { return served.Load() > n+20 })
	close(stop)
	all.Wait()
	if refused.Load() > 0 {
		t.Errorf("%d connections were refused", refused.Load())
	}
}

// A process that dies again and again is replaced more slowly, and the server still ends when it is told to.
func TestFastDeathsAreSlowedDown(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	p.start()
	for range 3 {
		p.kill(syscall.SIGKILL)
	}
	if log := p.read("error.log"); !strings.Contains(log, "balancerd: the serving process ended 3 times soon after its start; the next is started in 200ms") {
		t.Error(log)
	}
	syscall.Kill(p.serving(), syscall.SIGKILL)
	p.signal(syscall.SIGTERM)
	if exit := p.exit(); exit != 0 || p.pidFile() != 0 {
		t.Error(exit, p.pidFile())
	}
}

// A configuration that was broken on the disk meanwhile does not keep the next process from serving the one
// that is in force.
func TestReplacementServesWhatIsInForce(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf("ProxyPass / http://{back}/one/\nCustomLog access.log %U\n")
	p.start()
	p.conf("NoSuch\n")
	p.kill(syscall.SIGKILL)
	if _, body := p.get("/x"); body != "member /one/x" {
		t.Error(body)
	}
	p.until("the log", func() bool { return p.read("access.log") == "/x\n" })
}

// So does the next process of a server that has no log file at all.
func TestReplacementWithoutLogFiles(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	p.write("httpd.conf", strings.Replace(p.read("httpd.conf"), "ErrorLog error.log", "ErrorLog syslog", 1))
	p.write("error.log", "AH00094 is what start waits for; it goes to the system's log\n")
	p.start()
	p.until("requests are served", func() bool { status, _ := p.get("/x"); return status == 200 })
	before := p.serving()
	syscall.Kill(before, syscall.SIGKILL)
	p.until("the next serving process", func() bool { now := p.serving(); return now != 0 && now != before })
	if status, body := p.get("/x"); status != 200 {
		t.Error(status, body)
	}
}

// Without the main process the one that serves finishes its work and ends: its sockets must not keep the
// next server from starting.
func TestServingProcessEndsWithTheMainOne(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	p.start()
	pid := p.serving()
	held := make(chan string)
	go func() { _, body := p.get("/wait/700ms"); held <- body }()
	p.until("the request at the member", func() bool { return p.waiting.Load() == 1 })
	p.signal(syscall.SIGKILL)
	if got := <-held; got != "member /wait/700ms" {
		t.Error("a request under way:", got)
	}
	p.until("its end", func() bool { return syscall.Kill(pid, 0) != nil })
	if accepts(fmt.Sprintf("127.0.0.1:%d", p.port)) {
		t.Error("the port is still open")
	}
}

// What the serving process may do.
func TestServingProcessHasNoRights(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	p := newInstance(t)
	p.conf(passAll + "User nobody\n")
	p.start()
	for round := range 2 {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.serving()))
		for _, want := range []string{`(?m)^Uid:\t([1-9]\d*)\t[1-9]\d*\t[1-9]\d*\t[1-9]\d*$`, `(?m)^Gid:(\t[1-9]\d*){4}$`, `(?m)^CapPrm:\t0+$`, `(?m)^CapEff:\t0+$`, `(?m)^CapAmb:\t0+$`, `(?m)^NoNewPrivs:\t1$`} {
			if !regexp.MustCompile(want).Match(b) {
				t.Errorf("round %d: no %s in\n%s", round, want, b)
			}
		}
		if fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.serving())); len(fds) == 0 {
			t.Error("no descriptors seen")
		}
		p.kill(syscall.SIGKILL)
	}
	if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid)); !strings.Contains(string(b), "Uid:\t0\t0\t0\t0") {
		t.Errorf("the main process: %s", b)
	}
}

// Signals to the whole group, as a terminal sends them, end the server once and in order.
func TestSignalsToAllProcesses(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	p.start()
	pid := p.serving()
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGINT, syscall.SIGWINCH} {
		syscall.Kill(pid, sig)
	}
	time.Sleep(100 * time.Millisecond)
	if status, _ := p.get("/x"); status != 200 || p.serving() != pid {
		t.Error("the serving process obeyed a signal that means the main one:", status)
	}
	syscall.Kill(pid, syscall.SIGINT)
	p.signal(syscall.SIGINT)
	if exit := p.exit(); exit != 0 {
		t.Error(exit)
	}
}

// The main process does not grow with the configuration.
func TestMainProcessIsSmall(t *testing.T) {
	t.Parallel()
	if linear.Race {
		t.Skip("the race detector's memory is not the program's")
	}
	p := newInstance(t)
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "<Location /l%d>\nRequire all granted\n</Location>\n", i)
	}
	p.conf(passAll + b.String())
	p.start()
	for range 3 {
		p.reload(syscall.SIGUSR1)
	}
	p.until("less than 10 MiB", func() bool { return residentKiB(t, p.cmd.Process.Pid) < 10<<10 })
	t.Logf("main %d KiB, serving %d KiB", residentKiB(t, p.cmd.Process.Pid), residentKiB(t, p.serving()))
}

func residentKiB(t *testing.T, pid int) (n int) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	m := regexp.MustCompile(`VmRSS:\s+(\d+)`).FindSubmatch(b)
	if m == nil {
		t.Skip("no /proc")
	}
	fmt.Sscan(string(m[1]), &n)
	return n
}

// With -X there is one process, which reloads and ends as two do.
func TestOneProcess(t *testing.T) {
	p := newInstance(t)
	p.conf("ProxyPass / http://{back}/one/\n")
	p.start("-X")
	if p.serving() != 0 {
		t.Error("there is another process")
	}
	p.conf("ProxyPass / http://{back}/two/\n")
	p.reload(syscall.SIGUSR1)
	if _, body := p.get("/"); body != "member /two/" {
		t.Error(body)
	}
	p.signal(syscall.SIGTERM)
	if exit := p.exit(); exit != 0 {
		t.Error(exit)
	}
}

// A server that is started at once after its main process was killed gets the port: the serving process of
// before closes it as soon as it notices.
func TestStartAfterTheMainProcessWasKilled(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	for n := range 4 {
		p.start()
		p.until("the start", func() bool { return p.reloads() == n })
		if status, _ := p.get("/x"); status != 200 {
			t.Error(status)
		}
		p.signal(syscall.SIGKILL)
		<-p.ended
	}
}
