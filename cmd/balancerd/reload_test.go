package main

import (
	"balancerd/testdata/ports"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestReloadTakesTheNewFileOrKeepsTheOld(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf("ProxyPass / http://{back}/one/\n")
	p.start()
	before := p.openLogs()
	p.conf("ProxyPass / http://{back}/two/\n")
	if _, body := p.get("/"); body != "member /one/" {
		t.Error("before:", body)
	}
	p.reload(syscall.SIGUSR1)
	if _, body := p.get("/"); body != "member /two/" {
		t.Error("after USR1:", body)
	}
	p.conf("ProxyPass / http://{back}/three/\n")
	p.reload(syscall.SIGHUP)
	if _, body := p.get("/"); body != "member /three/" {
		t.Error("after HUP:", body)
	}
	if log := p.read("error.log"); !strings.Contains(log, "AH00493: SIGUSR1 received.  Doing graceful restart") || !strings.Contains(log, "AH00494: SIGHUP received.  Attempting to restart") {
		t.Error(log)
	}
	for _, broken := range []string{"NoSuch\n", "Listen 127.0.0.1:1x\n", "CustomLog none/x.log x\n", "Listen 192.0.2.1:1\n", "SSLVerifyClient require\n"} {
		p.conf("ProxyPass / http://{back}/four/\n" + broken)
		n := strings.Count(p.read("error.log"), "the old one goes on serving")
		p.signal(syscall.SIGHUP)
		p.until("a refusal of "+broken, func() bool { return strings.Count(p.read("error.log"), "the old one goes on serving") > n })
		if _, body := p.get("/"); body != "member /three/" {
			t.Error("after a broken file:", body)
		}
	}
	if log := p.read("error.log"); !regexp.MustCompile(`\[core:error\] .* Invalid command 'NoSuch', perhaps misspelled`).MatchString(log) {
		t.Error(log)
	}
	if p.pidFile() != p.cmd.Process.Pid {
		t.Error("pid file", p.read("httpd.pid"))
	}
	p.until("nothing is left open of what failed", func() bool { return p.openLogs() <= before })
}

func TestReloadUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll + "CustomLog access.log %U\n")
	p.start()
	before := p.openLogs()
	ctx, stop := context.WithCancel(context.Background())
	var mu sync.Mutex
	served, failures := 0, map[string]int{}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			c := http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0, MaxIdleConnsPerHost: 4}, Timeout: 10 * time.Second}
			defer c.CloseIdleConnections()
			for ctx.Err() == nil {
				what := "ok"
				if r, err := c.Get(p.url("/x")); err != nil {
					what = err.Error()
				} else {
					b, err := io.ReadAll(r.Body)
					r.Body.Close()
					if r.StatusCode != 200 || string(b) != "member /x" || err != nil {
						what = fmt.Sprint(r.StatusCode, string(b), err)
					}
				}
				mu.Lock()
				if served++; what != "ok" {
					failures[what]++
				}
				mu.Unlock()
			}
		})
	}
	for i := range 12 {
		p.conf(passAll + fmt.Sprintf("CustomLog access.log %%U\n# %d\n", i))
		p.reload([]syscall.Signal{syscall.SIGHUP, syscall.SIGUSR1}[i%2])
		time.Sleep(30 * time.Millisecond)
	}
	stop()
	all.Wait()
	if len(failures) > 0 || served < 100 {
		t.Errorf("%d requests, failed: %v", served, failures)
	}
	p.until("all lines", func() bool { return strings.Count(p.read("access.log"), "/x\n") == served })
	p.until("the old logs are closed", func() bool { return p.openLogs() <= before })
}

func TestRequestUnderWayOutlivesReloadAndGracefulStop(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll + "CustomLog access.log \"old %U\"\n")
	p.start()
	answers := make(chan string, 2)
	slow := func() {
		_, body := p.get("/wait/700ms")
		answers <- body
	}
	go slow()
	p.underWay()
	p.conf("CustomLog access.log \"new %U\"\n" + passAll)
	p.reload(syscall.SIGUSR1)
	if body := <-answers; body != "member /wait/700ms" {
		t.Error("over a reload:", body)
	}
	p.until("its line in the log of its time", func() bool { return p.read("access.log") == "old /wait/700ms\n" })
	go slow()
	p.underWay()
	p.signal(syscall.SIGWINCH)
	p.until("the ports are closed", func() bool { status, _ := p.get("/"); return status == 0 })
	p.until("the pid file is gone", func() bool { _, err := os.Stat(p.root + "/httpd.pid"); return err != nil })
	if body := <-answers; body != "member /wait/700ms" {
		t.Error("over a graceful stop:", body)
	}
	if exit := p.exit(); exit != 0 {
		t.Error("exit", exit)
	}
	if log := p.read("error.log"); !strings.Contains(log, "AH00492: caught SIGWINCH, shutting down gracefully") || strings.Contains(log, "AH00491") {
		t.Error(log)
	}
	if !strings.HasSuffix(p.read("access.log"), "new /wait/700ms\n") {
		t.Errorf("access log %q", p.read("access.log"))
	}
}

func TestGracefulStopHasAnEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *instance){
		"timeout": func(*instance) {},
		"TERM": func(p *instance) {
			p.until("the ports are closed", func() bool { status, _ := p.get("/"); return status == 0 })
			p.signal(syscall.SIGTERM)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newInstance(t)
			limit := map[string]string{"timeout": "GracefulShutdownTimeout 1\n"}[name]
			p.conf(limit + passAll)
			p.start()
			go p.get("/wait/30s")
			p.underWay()
			start := time.Now()
			p.signal(syscall.SIGWINCH)
			end(p)
			if exit := p.exit(); exit != 0 || time.Since(start) > 8*time.Second {
				t.Error("exit", exit, "after", time.Since(start))
			}
		})
	}
}

func TestPortsComeAndGo(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	second := ports.Reserve(t)
	p.conf(passAll)
	p.start()
	at := func(port int) int {
		r, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
		if err != nil {
			return 0
		}
		r.Body.Close()
		return r.StatusCode
	}
	p.conf(fmt.Sprintf("Listen 127.0.0.1:%d\n", second) + passAll)
	p.reload(syscall.SIGHUP)
	if a, b := at(p.port), at(second); a != 200 || b != 200 {
		t.Error("two ports:", a, b)
	}
	text, _ := os.ReadFile(p.conf(passAll))
	only := fmt.Sprintf("Listen %d", second)
	p.write("httpd.conf", strings.Replace(string(text), fmt.Sprintf("Listen 127.0.0.1:%d", p.port), only, 1))
	p.reload(syscall.SIGHUP) // from 127.0.0.1:N to *:N
	if a, b := at(p.port), at(second); a != 0 || b != 200 {
		t.Error("the other port alone:", a, b)
	}
	if c, err := net.Dial("tcp", fmt.Sprintf("[::1]:%d", second)); err == nil {
		c.Close()
	} else if _, err := net.Listen("tcp", "[::1]:0"); err == nil {
		t.Error("a bare port is not served over IPv6")
	}
}

func TestLogPrograms(t *testing.T) {
	p := newInstance(t)
	p.conf(passAll + "CustomLog \"|/bin/sh -c 'cat >>piped'\" \"%U\"\nCustomLog \"|$cat >>shell\" \"%U\"\nErrorLog \"||/usr/bin/tee -a error.log\"\n")
	p.start()
	p.get("/one")
	p.reload(syscall.SIGUSR1)
	p.get("/two")
	p.signal(syscall.SIGTERM)
	p.exit()
	for _, name := range []string{"piped", "shell"} {
		p.until(name, func() bool { return p.read(name) == "/one\n/two\n" })
	}
	p.until("the last line", func() bool { return strings.Contains(p.read("error.log"), "AH00491") })
}

func TestRotation(t *testing.T) {
	p := newInstance(t)
	p.conf(passAll + "CustomLog access.log %U\n")
	p.start()
	p.get("/one")
	for _, name := range []string{"access.log", "error.log"} {
		p.until(name, func() bool { return p.read(name) != "" })
		if err := os.Rename(p.root+"/"+name, p.root+"/"+name+".1"); err != nil {
			t.Fatal(err)
		}
	}
	p.signal(syscall.SIGUSR1)
	p.until("the new error log", func() bool { return strings.Contains(p.read("error.log"), "AH00489") })
	p.get("/two")
	p.until("the new access log", func() bool { return p.read("access.log") == "/two\n" })
	if got := p.read("access.log.1"); got != "/one\n" {
		t.Errorf("old log %q", got)
	}
}
