package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"balancerd/cmd/balancerd/cli"
)

func TestStartAndStop(t *testing.T) {
	p := newInstance(t)
	p.conf(passAll + "CustomLog access.log \"%m %U %s %b\"\nLogLevel info\n")
	p.start()
	if status, body := p.get("/x"); status != 200 || body != "member /x" {
		t.Error(status, body)
	}
	if p.pidFile() != p.cmd.Process.Pid {
		t.Errorf("pid file %q", p.read("httpd.pid"))
	}
	p.until("the access log", func() bool { return p.read("access.log") == "GET /x 200 9\n" })
	p.signal(syscall.SIGTERM)
	if exit := p.exit(); exit != 0 {
		t.Error("exit", exit)
	}
	log := p.read("error.log")
	for _, want := range []string{
		`\[mpm_event:notice\] \[pid \d+:tid \d+\] AH00489: Apache/2\.4\.71 \(Unix\) configured -- resuming normal operations\n`,
		`\[mpm_event:info\] .* AH00490: Server built: `,
		`\[core:notice\] .* AH00094: Command line: '\S*/balancerd -f \S*/httpd\.conf -D FOREGROUND'\n`,
		`\[core:info\] .* AH00096: removed PID file \S+/httpd\.pid \(pid=\d+\)\n.*\[mpm_event:notice\] .* AH00491: caught SIGTERM, shutting down\n$`,
	} {
		if !regexp.MustCompile(want).MatchString(log) {
			t.Errorf("no %s in\n%s", want, log)
		}
	}
	if _, err := os.Stat(p.root + "/httpd.pid"); err == nil {
		t.Error("the pid file is still there")
	}
	if p.said.Len() > 0 {
		t.Errorf("said %q", p.said.String())
	}
}

func TestDaemon(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf("ProxyPass / http://{back}/one/\n")
	t.Cleanup(func() {
		if pid := p.pidFile(); pid > 0 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	if exit, out, errs := p.run("-k", "start"); exit != 0 || out+errs != "" {
		t.Fatal("start:", exit, out, errs)
	}
	if _, body := p.get("/"); body != "member /one/" {
		t.Error("served at once:", body)
	}
	pid := p.pidFile()
	if sid, _, _ := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0); int(sid) != pid {
		t.Error("no session of its own:", sid, pid)
	}
	for _, verb := range []string{"", "start"} {
		args := []string{"-k", verb}
		if verb == "" {
			args = nil
		}
		if exit, out, errs := p.run(args...); exit != 0 || out != fmt.Sprintf("httpd (pid %d) already running\n", pid) || errs != "" {
			t.Errorf("second %q: %d %q %q", verb, exit, out, errs)
		}
	}
	p.conf("ProxyPass / http://{back}/two/\n")
	if exit, out, errs := p.run("-k", "graceful"); exit != 0 || out+errs != "" {
		t.Error("graceful:", exit, out, errs)
	}
	p.until("the reload", func() bool { return p.reloads() == 1 })
	if _, body := p.get("/"); body != "member /two/" {
		t.Error(body)
	}
	p.conf("NoSuch\n")
	if exit, _, errs := p.run("-k", "restart"); exit != 1 || !strings.Contains(errs, "Invalid command 'NoSuch'") {
		t.Error("restart with a broken file:", exit, errs)
	}
	p.conf(passAll)
	if exit, out, errs := p.run("-k", "stop"); exit != 0 || out+errs != "" {
		t.Error("stop:", exit, out, errs)
	}
	p.until("its end", func() bool { return syscall.Kill(pid, 0) != nil })
	if exit, out, _ := p.run("-k", "stop"); exit != 0 || out != "httpd (no pid file) not running\n" {
		t.Error("second stop:", exit, out)
	}
	if exit, out, _ := p.run("-k", "restart"); exit != 0 || out != "httpd not running, trying to start\n" {
		t.Error("restart of nothing:", exit, out)
	}
	if status, _ := p.get("/"); status != 200 {
		t.Error("restart did not start")
	}
	if exit, out, errs := p.run("-k", "graceful-stop"); exit != 0 || out+errs != "" {
		t.Error("graceful-stop:", exit, out, errs)
	}
	p.until("the pid file is gone", func() bool { return p.pidFile() == 0 })
}

func TestDaemonWithRelativeNames(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	cmd := exec.Command(p.binary, "-d", ".", "-f", "httpd.conf")
	cmd.Dir = p.root
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatal(err, string(out))
	}
	pid := p.pidFile()
	defer syscall.Kill(pid, syscall.SIGKILL)
	if dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err == nil && dir != "/" {
		t.Error("it holds on to", dir)
	}
	p.reloadDaemon(pid)
	if status, _ := p.get("/x"); status != 200 {
		t.Error(status)
	}
}

func TestPanicsOfADaemonGoToTheErrorLog(t *testing.T) {
	p := newInstance(t)
	p.conf(passAll)
	if exit, _, errs := p.run("-k", "start"); exit != 0 {
		t.Fatal(errs)
	}
	pid := p.pidFile()
	defer syscall.Kill(pid, syscall.SIGKILL)
	p.reloadDaemon(pid)
	syscall.Kill(pid, syscall.SIGQUIT)
	p.until("the goroutines in the log", func() bool { return strings.Contains(p.read("error.log"), "SIGQUIT: quit") })
}

// reloadDaemon rotates the error log and reloads: stderr must follow.
func (p *instance) reloadDaemon(pid int) {
	if err := os.Rename(p.root+"/error.log", p.root+"/error.log.1"); err != nil {
		p.t.Fatal(err)
	}
	syscall.Kill(pid, syscall.SIGUSR1)
	p.until("the new log", func() bool { return strings.Contains(p.read("error.log"), "AH00094") })
}

func TestStartThatFails(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const end = "no listening sockets available, shutting down\nAH00015: Unable to open logs\n"
	taken := fmt.Sprintf("(98)Address already in use: AH00072: make_sock: could not bind to address %s\n"+end, l.Addr())
	for _, c := range []struct{ conf, want string }{
		{"Listen " + l.Addr().String(), taken},
		{"CustomLog none/a.log x", "(2)No such file or directory: AH02297: Cannot access directory '{root}/none/' for log file 'none/a.log' defined at {root}/httpd.conf:15\nAH00014: Configuration check failed\n"},
		{"<VirtualHost *>\nErrorLog none/e.log\n</VirtualHost>", "(2)No such file or directory: AH02291: Cannot access directory '{root}/none/' for error log of vhost defined at {root}/httpd.conf:15\nAH00014: Configuration check failed\n"},
		{"ErrorLog {root}", "(21)Is a directory: AH00091: balancerd: could not open error log file {root}.\nAH00015: Unable to open logs\n"},
		{"ErrorLog \"|/no/such x\"", "(2)No such file or directory: AH00089: Couldn't start ErrorLog process '/no/such x'.\nAH00015: Unable to open logs\n"},
		{"ErrorLog syslog:nonsense", "(20024)The given path is misformatted or contained invalid characters: AH10036: balancerd: could not open syslog error log nonsense.\nAH00015: Unable to open logs\n"},
		{"CustomLog {root} x", "(21)Is a directory: AH00649: could not open transfer log file {root}.\nAH00015: Unable to open logs\n"},
		{"CustomLog |/no/such x", "(2)No such file or directory: AH00104: unable to start piped log program '/no/such'\nAH00015: Unable to open logs\n"},
		{"NoSuch", "AH00526: Syntax error on line 15 of {root}/httpd.conf:\nInvalid command 'NoSuch', perhaps misspelled or defined by a module not included in the server configuration\n"},
	} {
		p.conf(c.conf)
		want := strings.ReplaceAll(c.want, "{root}", p.root)
		for _, args := range [][]string{{"-DFOREGROUND"}, {"-k", "start"}} {
			exit, out, errs := p.run(args...)
			if errs = regexp.MustCompile(`(?m)^hint: .*\n`).ReplaceAllString(errs, ""); exit != 1 || out != "" || errs != want {
				t.Errorf("%s %v: %d %q\n%s\nwant\n%s", c.conf, args, exit, out, errs, want)
			}
		}
		if p.pidFile() != 0 {
			t.Error("a pid file of", c.conf)
		}
	}
	p.write("httpd.conf", "ServerRoot {root}\nLoadModule mpm_event_module x\nErrorLog error.log\nServerName x\n")
	if exit, _, errs := p.run("-DFOREGROUND"); exit != 1 || errs != end {
		t.Error("no Listen:", exit, errs)
	}
}

func TestRefusesToBeLessStrict(t *testing.T) {
	p := newInstance(t)
	text := p.read(filepath.Base(p.conf("<Location />\nAllowMethods GET\n</Location>\n" + passAll)))
	p.write("httpd.conf", "LoadModule allowmethods_module modules/mod_allowmethods.so\n"+text)
	for _, how := range []string{"-t", "-DFOREGROUND"} {
		exit, _, errs := p.run(how)
		if exit != 1 || !strings.Contains(errs, "AllowMethods on line 17 of "+p.root+"/httpd.conf") || !strings.Contains(errs, "not started") || strings.Contains(errs, "Syntax OK") {
			t.Errorf("%s: %d %s", how, exit, errs)
		}
	}
}

func TestUserAndGroup(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	p := newInstance(t)
	os.Mkdir(p.root+"/logs", 0o700) // as Debian's /var/log/apache2: not the user's
	p.conf(passAll + "User nobody\nCustomLog logs/a.log %U\n")
	p.start()
	status := func() string {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.serving()))
		return strings.Join(regexp.MustCompile(`(?m)^Uid:.*$`).FindAllString(string(b), -1), "")
	}
	before := status()
	if f := strings.Fields(before); len(f) != 5 || f[1] == "0" || f[2] == "0" {
		t.Errorf("serves as %s", before)
	}
	for range 3 {
		os.Rename(p.root+"/logs/a.log", p.root+"/logs/a.log.1")
		p.reload(syscall.SIGHUP)
		if code, _ := p.get("/x"); code != 200 {
			t.Error(code)
		}
		p.until("the log that only root can open", func() bool { return p.read("logs/a.log") == "/x\n" })
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.serving()))
	for _, f := range tasks {
		b, _ := os.ReadFile(f)
		if m := regexp.MustCompile(`(?m)^Uid:.*$`).FindString(string(b)); m != "" && m != before {
			t.Errorf("a thread was left as %s, the process is %s", m, before)
		}
	}
	p.signal(syscall.SIGTERM)
	if exit := p.exit(); exit != 0 || p.pidFile() != 0 {
		t.Error("exit", exit, "pid file", p.pidFile())
	}
}

func TestTellsTheServiceManager(t *testing.T) {
	p := newInstance(t)
	name := p.root + "/notify"
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", name)
	p.conf(passAll)
	p.start()
	hear := func() string {
		b := make([]byte, 256)
		l.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := l.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	if got := hear(); !strings.HasPrefix(got, "READY=1\n") || !strings.Contains(got, fmt.Sprintf("MAINPID=%d\n", p.cmd.Process.Pid)) {
		t.Errorf("%q", got)
	}
	p.reload(syscall.SIGHUP)
	if a, b := hear(), hear(); !strings.HasPrefix(a, "RELOADING=1\n") || !strings.HasPrefix(b, "READY=1\n") {
		t.Errorf("%q %q", a, b)
	}
	p.signal(syscall.SIGTERM)
	if got := hear(); !strings.HasPrefix(got, "STOPPING=1\n") {
		t.Errorf("%q", got)
	}
	p.exit()
}

func TestNames(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	for _, name := range []string{"httpd", "apache2"} {
		p.binary = buildAs(t, name)
		for _, args := range [][]string{{"demo"}, {"version"}, {"--help"}} {
			if exit, out, errs := p.run(args...); exit != 1 || out != "" || !strings.Contains(errs, "Usage: ") {
				t.Errorf("%s %v: %d %s %s", name, args, exit, out, errs)
			}
		}
		if exit, _, errs := p.run("-z"); exit != 1 || !strings.HasPrefix(errs, name+": illegal option -- z\nUsage: "+p.binary+" [-D name]") {
			t.Errorf("%s -z: %d %s", name, exit, errs)
		}
		if _, _, errs := p.run("-t", "-f", p.root+"/none.conf"); !strings.HasPrefix(errs, name+": Could not open configuration file") {
			t.Errorf("%s: %s", name, errs)
		}
	}
	p.binary = buildServer(t)
	for args, want := range map[string]string{"version": "balancerd " + cli.Release, "help": "balancerd -k graceful ", "--help": "balancerd -k graceful "} {
		out, err := exec.Command(p.binary, args).Output()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v %s", args, err, out)
		}
	}
	out, err := exec.Command(p.binary, "nonsense").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "hint: unknown command") || !strings.Contains(string(out), "Usage: ") {
		t.Errorf("%v %s", err, out)
	}
}

func TestErrorFileOfTheStart(t *testing.T) {
	p := newInstance(t)
	p.conf("NoSuch\n")
	if exit, out, errs := p.run("-t", "-E", p.root+"/start.log"); exit != 1 || out+errs != "" || !strings.Contains(p.read("start.log"), "Invalid command 'NoSuch'") {
		t.Errorf("%d %s %s %s", exit, out, errs, p.read("start.log"))
	}
	if exit, _, errs := p.run("-t", "-E", p.root+"/none/start.log"); exit != 1 || !strings.Contains(errs, "AH00086: balancerd: could not open error log file "+p.root+"/none/start.log.") {
		t.Errorf("%d %s", exit, errs)
	}
}

func TestPidFileOfSomebodyElse(t *testing.T) {
	p := newInstance(t)
	p.conf(passAll)
	p.write("httpd.pid", "999999\n")
	p.start()
	if !strings.Contains(p.read("error.log"), "AH00098: pid file "+p.root+"/httpd.pid overwritten -- Unclean shutdown of previous Apache run?") {
		t.Error(p.read("error.log"))
	}
	if p.pidFile() != p.cmd.Process.Pid {
		t.Error(p.read("httpd.pid"))
	}
}

// TestKillLosesNoLines: the access log has every answered request, as httpd's has, however the server
// ends; lines of the last 10 ms may be under way.
func TestKillLosesNoLines(t *testing.T) {
	p := newInstance(t)
	p.conf("LogFormat %U path\nCustomLog access.log path\n" + passAll)
	if exit, _, errs := p.run("-k", "start"); exit != 0 {
		t.Fatal(errs)
	}
	pid := p.pidFile()
	const n = 40
	for i := range n {
		p.get(fmt.Sprintf("/%d", i))
	}
	time.Sleep(20 * time.Millisecond)
	syscall.Kill(servingOf(pid), syscall.SIGKILL)
	defer syscall.Kill(pid, syscall.SIGTERM)
	if got := strings.Count(p.read("access.log"), "\n"); got != n {
		t.Errorf("%d lines of %d requests", got, n)
	}
}

// A start in the background lets go of its output though programs of logs and of rewrite maps go on: whoever started it, ssh
// or a script, waits for the end of it. What they write on stderr goes to the error log.
func TestDaemonWithPrograms(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	const script = "#!/bin/sh\necho from the map >&2\nwhile read key; do echo value; done\n"
	if err := os.WriteFile(p.root+"/map.sh", []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	p.conf("CustomLog \"|$echo from the log program >&2; cat >> {root}/piped.log\" \"%r\"\n" +
		"LoadModule rewrite_module modules/mod_rewrite.so\nRewriteEngine On\nRewriteMap m prg:{root}/map.sh\n" + passAll)
	t.Cleanup(func() {
		if pid := p.pidFile(); pid > 0 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	started := make(chan int, 1)
	go func() {
		exit, _, _ := p.run("-k", "start")
		started <- exit
	}()
	select {
	case exit := <-started:
		if exit != 0 {
			t.Fatal("start:", exit)
		}
	case <-time.After(30 * time.Second):
		syscall.Kill(p.pidFile(), syscall.SIGKILL)
		t.Fatal("somebody holds the output of the start")
	}
	if status, _ := p.get("/x"); status != 200 {
		t.Error(status)
	}
	p.until("the lines", func() bool {
		errors := p.read("error.log")
		return strings.Contains(errors, "from the log program") && strings.Contains(errors, "from the map") && strings.Contains(p.read("piped.log"), "GET /x")
	})
	if exit, _, errs := p.run("-k", "stop"); exit != 0 {
		t.Error(errs)
	}
	p.until("its end", func() bool { return p.pidFile() == 0 })
}
