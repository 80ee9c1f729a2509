package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// certificate makes a key and a certificate of its own for a name.
func (p *instance) certificate(name string, more ...string) {
	p.t.Helper()
	args := append([]string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=" + name,
		"-keyout", filepath.Join(p.root, name+".key"), "-out", filepath.Join(p.root, name+".pem")}, more...)
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		p.t.Fatalf("%v %s", err, out)
	}
}

// TestCheckFindsWhatAStartWould: whatever a start refuses, -t refuses in the same words, but for "no listening
// sockets", where none was to be opened.
func TestCheckFindsWhatAStartWould(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.certificate("a.example")
	p.certificate("b.example")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const tls = "LoadModule ssl_module modules/mod_ssl.so\n<VirtualHost *:{port}>\nServerName a.example\nSSLEngine on\nSSLCertificateFile {root}/a.example.pem\nSSLCertificateKeyFile {root}/KEY\n</VirtualHost>"
	for _, c := range []struct{ conf, want string }{
		{strings.Replace(tls, "KEY", "b.example.key", 1), "AH02565: Certificate and private key "},
		{strings.Replace(tls, "KEY", "a.example.pem", 1), "AH02564: "},
		{"Listen " + l.Addr().String(), "(98)Address already in use: AH00072: make_sock: could not bind to address " + l.Addr().String() + "\n"},
		{"Listen 192.0.2.1:1", "(99)Cannot assign requested address: AH00072: make_sock: could not bind to address 192.0.2.1:1\n"},
		{"Listen {port}\n", "(98)Address already in use: AH00072: "},
		{"CustomLog none/a.log x", "(2)No such file or directory: AH02297: "},
		{"CustomLog {root} x", "(21)Is a directory: AH00649: could not open transfer log file {root}.\n"},
		{"ErrorLog {root}", "(21)Is a directory: AH00091: "},
		{"ErrorLog \"|/no/such x\"", "(2)No such file or directory: AH00089: Couldn't start ErrorLog process '/no/such x'.\n"},
		{"CustomLog |/no/such x", "(2)No such file or directory: AH00104: "},
		{"PidFile none/pid", "(2)No such file or directory: AH00099: "},
		{"LoadModule allowmethods_module x\n<Location />\nAllowMethods GET\n</Location>", "balancerd: AllowMethods on line 17 of {root}/httpd.conf: "},
		{"LoadModule security2_module x\n<IfModule mod_security2.c>\nSecRuleEngine On\n</IfModule>", "balancerd: SecRuleEngine on line 17 of {root}/httpd.conf: SecRuleEngine belongs to mod_security2, "},
		{"LoadModule evasive20_module x", "balancerd: LoadModule on line 15 of {root}/httpd.conf: "},
	} {
		p.conf(c.conf)
		want := strings.ReplaceAll(c.want, "{root}", p.root)
		said := map[string]string{}
		for _, how := range []string{"-t", "-DFOREGROUND"} {
			exit, out, errs := p.run(how)
			errs = regexp.MustCompile(`(?m)^hint: .*\n`).ReplaceAllString(errs, "")
			if exit != 1 || out != "" || !strings.HasPrefix(errs, want) {
				t.Errorf("%s %s: %d %q\n%s\nwant\n%s", how, c.conf, exit, out, errs, want)
			}
			said[how] = errs
		}
		if start := strings.Replace(said["-DFOREGROUND"], "no listening sockets available, shutting down\n", "", 1); said["-t"] != start {
			t.Errorf("%s: -t says\n%s\na start\n%s", c.conf, said["-t"], start)
		}
		for _, trace := range []string{"a.log", "error.log", "httpd.pid"} {
			if os.Remove(filepath.Join(p.root, trace)) == nil && trace == "httpd.pid" {
				t.Error("a pid file of", c.conf)
			}
		}
	}
	p.conf(passAll)
	exit, _, errs := p.run("-t", "-c", "Listen "+l.Addr().String())
	if exit != 1 || !strings.Contains(errs, ": Listen "+l.Addr().String()+": taken by ") {
		t.Errorf("who has the port: %d %s", exit, errs)
	}
}

// TestCheckLeavesNoTrace: -t makes no log, no pid file, and starts no program.
func TestCheckLeavesNoTrace(t *testing.T) {
	p := newInstance(t)
	p.write("program", "#!/bin/sh\ntouch {root}/started\nexec cat\n")
	os.Chmod(p.root+"/program", 0o755)
	p.conf(passAll + "CustomLog a.log x\nCustomLog |{root}/program x\nBalancerPersist On\n")
	before, _ := os.ReadDir(p.root)
	if exit, _, errs := p.run("-t"); exit != 0 || !strings.HasSuffix(errs, "Syntax OK\n") {
		t.Fatal(exit, errs)
	}
	if after, _ := os.ReadDir(p.root); len(after) != len(before) {
		t.Errorf("%v, before %v", after, before)
	}
}

// TestCheckBesideTheServer: what the server of the pid file holds is no hindrance, whoever else holds
// something is.
func TestCheckBesideTheServer(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	p.start()
	if exit, _, errs := p.run("-t"); exit != 0 {
		t.Error("its own address:", errs)
	}
	if exit, _, errs := p.run("-t", "-c", "Listen 127.0.0.2:1"); exit != 0 && os.Geteuid() == 0 {
		t.Error("a free address:", errs)
	}
	p.write("httpd.conf", strings.Replace(p.read("httpd.conf"), "Listen 127.0.0.1:", "Listen ", 1))
	if exit, _, errs := p.run("-t"); exit != 0 {
		t.Error("its port on all addresses:", errs)
	}
	p.write("httpd.conf", strings.Replace(p.read("httpd.conf"), "PidFile httpd.pid", "PidFile other.pid", 1))
	exit, _, errs := p.run("-t")
	if exit != 1 || !strings.Contains(errs, "AH00072") || !strings.Contains(errs, "taken by ") {
		t.Error("another server's address:", exit, errs)
	}
	if want := fmt.Sprintf("a server with another PidFile: -k reaches it with the PidFile that it was started with; without, kill -USR1 %d reloads it", p.cmd.Process.Pid); !strings.Contains(errs, want) {
		t.Errorf("no %q in\n%s", want, errs)
	}
}

// TestReloadsAskFirst: -k graceful and restart of what a start would refuse leave the server alone, and say
// why.
func TestReloadsAskFirst(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.conf(passAll)
	p.start()
	p.conf(passAll + "LoadModule allowmethods_module x\n<Location />\nAllowMethods GET\n</Location>")
	for _, verb := range []string{"graceful", "restart"} {
		exit, out, errs := p.run("-k", verb)
		if exit != 1 || out != "" || !strings.Contains(errs, "would be less strict") || !strings.Contains(errs, "Define BALANCERD_WITHOUT_allowmethods") {
			t.Errorf("%s: %d %s %s", verb, exit, out, errs)
		}
	}
	if strings.Contains(p.read("error.log"), "AH0049") && p.reloads() != 0 {
		t.Error("it was told to reload")
	}
	if exit, _, errs := p.run("-k", "graceful", "-D", "BALANCERD_WITHOUT_allowmethods"); exit != 0 {
		t.Error("given up by name:", errs)
	}
	if exit, _, errs := p.run("-k", "stop"); exit != 0 { // which any configuration that can be read may
		t.Error("stop:", errs)
	}
}

func TestLossesThatAreAccepted(t *testing.T) {
	p := newInstance(t)
	const waf = "LoadModule security2_module x\n<IfModule security2_module>\nSecRuleEngine On\nSecRule ARGS x\n</IfModule>\n" + passAll
	for _, conf := range []string{"Define BALANCERD_WITHOUT_security2\n" + waf, waf + "Define BALANCERD_WITHOUT_security2"} {
		p.conf(conf)
		if exit, _, errs := p.run("-t"); exit != 0 || !strings.Contains(errs, "mod_security2: SecRuleEngine, SecRule have no effect here") {
			t.Errorf("%d %s", exit, errs)
		}
	}
	p.conf(waf)
	if exit, _, errs := p.run("-t", "-v", "-D", "BALANCERD_WITHOUT_security2"); exit != 0 || !strings.Contains(errs, "httpd.conf:18: SecRule belongs to mod_security2") {
		t.Errorf("in detail: %d %s", exit, errs)
	}
	p.start("-D", "BALANCERD_WITHOUT_security2")
	if status, _ := p.get("/x"); status != 200 {
		t.Error(status)
	}
	if log := p.read("error.log"); !strings.Contains(log, "] hint: "+p.root+"/httpd.conf:17,18: mod_security2: ") {
		t.Error("the log does not tell:", log)
	}
}

// TestWarningsAreToldBeforeErrors: what the reading noticed is told whatever goes wrong later.
func TestWarningsAreToldBeforeErrors(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	for _, wrong := range []string{"NoSuch", "CustomLog none/a.log x", "LoadModule allowmethods_module x\n<Location />\nAllowMethods GET\n</Location>", "Listen 192.0.2.1:1"} {
		p.conf("Define X ${UNHEARDOF}\n" + wrong)
		for _, how := range []string{"-t", "-DFOREGROUND"} {
			if exit, _, errs := p.run(how); exit != 1 || strings.Count(errs, "AH00111: Config variable ${UNHEARDOF} is not defined") != 1 {
				t.Errorf("%s %s: %d %s", how, wrong, exit, errs)
			}
		}
	}
}

// TestWhatFailsLater: status 0, and a line for each.
func TestWhatFailsLater(t *testing.T) {
	p := newInstance(t)
	p.certificate("a.example", "-addext", "basicConstraints=critical,CA:TRUE")
	p.write("there.html", "x")
	p.conf(`LoadModule ssl_module x
LoadModule authn_core_module x
LoadModule auth_basic_module x
LoadModule authn_file_module x
LoadModule authz_user_module x
LoadModule authz_groupfile_module x
DocumentRoot {root}
Alias /al {root}
ErrorDocument 404 /none.html
ErrorDocument 500 /there.html
ErrorDocument 502 /al/nothing.html
ErrorDocument 503 /b/page.html
ProxyPass /b balancer://empty/
ProxyPass /c http://no-such-host.invalid/ min=2
ProxyPass /d ajp://127.0.0.1:8009/
<Location /php>
SetHandler "proxy:unix:/run/php.sock|fcgi://localhost"
</Location>
<Location />
AuthType Basic
AuthName x
AuthUserFile none.users
AuthGroupFile none.groups
Require valid-user
</Location>
<VirtualHost *:{port}>
ServerName b.example
SSLEngine on
SSLCertificateFile a.example.pem
SSLCertificateKeyFile a.example.key
</VirtualHost>
<Proxy balancer://given>
BalancerMember http://127.0.0.1:1
</Proxy>
<Proxy balancer://alone>
BalancerMember http://127.0.0.1:1
</Proxy>
<VirtualHost *:{port}>
ServerName inherits.example
ProxyPass / balancer://given/
</VirtualHost>
<VirtualHost *:{port}>
ServerName alone.example
BalancerInherit Off
ProxyPassInherit Off
ProxyPass / balancer://alone/
</VirtualHost>`)
	p.write("httpd.conf", strings.Replace(p.read("httpd.conf"), "LoadModule authz_core", "LoadModule alias_module x\nLoadModule authz_core", 1))
	exit, _, errs := p.run("-t")
	for _, want := range []string{
		"there is no {root}/none.html", "there is no {root}/nothing.html", "balancer://empty has no members", "balancer://alone has no members", "no-such-host.invalid can't be looked up",
		"min= has no effect here", "{root}/none.users", "{root}/none.groups", "AH01906: b.example:", "AH01909: b.example:",
	} {
		if want = strings.ReplaceAll(want, "{root}", p.root); exit != 0 || !regexp.MustCompile(`(?m)^hint: .*`+regexp.QuoteMeta(want)).MatchString(errs) {
			t.Errorf("%d, no %s in\n%s", exit, want, errs)
		}
	}
	for _, wrong := range []string{"there.html", "page.html", "balancer://given has"} {
		if strings.Contains(errs, wrong) {
			t.Errorf("%s is told in\n%s", wrong, errs)
		}
	}
}

// TestVirtualHostsThatGetNoRequest: httpd says nothing of them.
func TestVirtualHostsThatGetNoRequest(t *testing.T) {
	p := newInstance(t)
	host := func(address, names string) string {
		return "<VirtualHost " + address + ">\nServerName " + names + "\n</VirtualHost>\n"
	}
	p.conf(host("*:1 127.0.0.1:{port}", "a.example") + host("*:{port}", "b.example\nServerAlias *.c.example") +
		host("*:{port}", "B.example.") + host("*:{port}", "d.c.example") + host("*:{port}", "e.example\nServerAlias a.example e.example") + host("192.0.2.1:{port} *:*", "b.example") +
		host("0.0.0.0:{port} [::]", "f.example"))
	exit, _, errs := p.run("-t")
	want := `hint: {root}/httpd.conf:15: no Listen line takes connections for <VirtualHost *:1>: a.example gets no request there
hint: {root}/httpd.conf:32: no Listen line takes connections for <VirtualHost 192.0.2.1:{port}>: b.example gets no request there
hint: {root}/httpd.conf:22: requests for b.example at *:{port} go to the virtual host before it, {root}/httpd.conf:18
hint: {root}/httpd.conf:25: requests for d.c.example at *:{port} go to the virtual host before it, {root}/httpd.conf:18
Syntax OK
`
	if want = strings.NewReplacer("{root}", p.root, "{port}", strconv.Itoa(p.port)).Replace(want); exit != 0 || errs != want {
		t.Errorf("%d\n%s\nwant\n%s", exit, errs, want)
	}
}

// TestPartsOfConfigurations run as they are, but for httpd's own name.
func TestPartsOfConfigurations(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	p.write("httpd.conf", `LoadModule proxy_wstunnel_module modules/mod_proxy_wstunnel.so
<VirtualHost *:{port}>
ServerName x
<IfModule mod_headers.c>
Header set X-Part yes
</IfModule>
<IfModule mod_security2.c>
SecRuleEngine On
</IfModule>
<Proxy balancer://app>
BalancerMember http://{back}
ProxySet lbmethod=bytraffic
</Proxy>
ProxyPass / balancer://app/
ErrorLog ${UNSET_LOG_DIR}/error.log
CustomLog ${UNSET_LOG_DIR}/access.log combined
</VirtualHost>
`)
	exit, _, errs := p.run("-t")
	if exit != 0 || strings.Count(errs, "this is a part of a configuration") != 1 || !strings.Contains(errs, "mod_security2, a web application firewall, is not supported") {
		t.Fatal(exit, errs)
	}
	p.cmd = exec.Command(p.binary, "-f", p.root+"/httpd.conf", "-DFOREGROUND")
	p.cmd.Dir = p.root
	dieWithUs(p.cmd)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.ended = make(chan struct{})
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() { p.cmd.Process.Kill(); <-p.ended })
	p.until("it serves", func() bool { status, _ := p.get("/x"); return status == 200 })
	p.signal(syscall.SIGTERM)
	if exit := p.exit(); exit != 0 || !strings.Contains(p.said.String(), `"GET /x HTTP/1.1" 200`) {
		t.Errorf("exit %d, no line of the access log in\n%s", exit, p.said.String())
	}
	httpd := filepath.Join(t.TempDir(), "httpd")
	if err := os.Symlink(p.binary, httpd); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(httpd, "-t", "-f", p.root+"/httpd.conf").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Invalid command") {
		t.Errorf("as httpd: %v %s", err, out)
	}
	p.write("httpd.conf", "LoadModule mpm_event_module x\n"+p.read("httpd.conf"))
	if exit, _, errs := p.run("-t"); exit != 1 || !strings.Contains(errs, "Invalid command 'BalancerMember'") && !strings.Contains(errs, "Invalid command '<Proxy'") {
		t.Errorf("a whole one: %d %s", exit, errs)
	}
}

func TestRelativeFileThatIsHere(t *testing.T) {
	p := newInstance(t)
	p.conf(passAll)
	cmd := exec.Command(p.binary, "-t", "-f", "httpd.conf", "-d", t.TempDir())
	cmd.Dir = p.root
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "-f "+p.root+"/httpd.conf is the file that is here") {
		t.Errorf("%v %s", err, out)
	}
}

// TestManagerHearsOfFailedReloads: by the status line and the journal.
func TestManagerHearsOfFailedReloads(t *testing.T) {
	p := newInstance(t)
	socket := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenPacket("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	hears := func(want string) string {
		for b := make([]byte, 4096); ; {
			c.SetReadDeadline(time.Now().Add(20 * time.Second))
			n, _, err := c.ReadFrom(b)
			if err != nil {
				t.Fatalf("nothing with %q was told: %v", want, err)
			}
			if strings.Contains(string(b[:n]), want) {
				return string(b[:n])
			}
		}
	}
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("JOURNAL_STREAM", "1:2")
	p.conf(passAll)
	p.start()
	hears("READY=1")
	p.conf("NoSuch\n")
	p.signal(syscall.SIGUSR1)
	if state := hears("STATUS=not reloaded"); !strings.Contains(state, "READY=1") || !strings.Contains(state, "Invalid command 'NoSuch'") || strings.Count(state, "\n") != 3 {
		t.Errorf("status %q", state)
	}
	p.conf(passAll)
	p.reload(syscall.SIGUSR1)
	hears("STATUS=serving")
	p.signal(syscall.SIGTERM)
	p.exit()
	if !strings.Contains(p.said.String(), "balancerd: the configuration was not loaded; the old one goes on serving: AH00526") {
		t.Errorf("the journal's stream: %s", p.said.String())
	}
}

func TestOwnVersion(t *testing.T) {
	p := newInstance(t)
	out, err := exec.Command(p.binary, "--version").CombinedOutput()
	if err != nil || !regexp.MustCompile(`^balancerd \S+\ncommit \S+.*\ngo\S+ \S+/\S+\n$`).Match(out) {
		t.Errorf("%v %s", err, out)
	}
}

// TestCheckAsHttpds: what httpd's own -t says.
func TestCheckAsHttpds(t *testing.T) {
	p := newInstance(t)
	p.write("dh.pem", "x")
	for _, c := range []struct{ conf, want string }{
		{"NameVirtualHost *:80\nNameVirtualHost *:81", "AH00548: NameVirtualHost has no effect and will be removed in the next release {root}/httpd.conf:15\nSyntax OK\n"},
		{"LoadModule ssl_module x\nSSLOpenSSLConfCmd DHParameters none.pem", "AH00526: Syntax error on line 16 of {root}/httpd.conf:\nSSLOpenSSLConfCmd: file '{root}/none.pem' does not exist or is empty\n"},
		{"LoadModule ssl_module x\nSSLOpenSSLConfCmd ChainCAPath none", "AH00526: Syntax error on line 16 of {root}/httpd.conf:\nSSLOpenSSLConfCmd: directory '{root}/none' does not exist\n"},
		{"LoadModule ssl_module x\nSSLOpenSSLConfCmd DHParameters dh.pem", "Syntax OK\n"},
	} {
		p.conf(c.conf)
		exit, _, errs := p.run("-t")
		errs = regexp.MustCompile(`(?m)^hint: .*\n`).ReplaceAllString(errs, "")
		if want := strings.ReplaceAll(c.want, "{root}", p.root); errs != want || exit == 0 != strings.HasSuffix(want, "OK\n") {
			t.Errorf("%s: %d\n%s\nwant\n%s", c.conf, exit, errs, want)
		}
	}
}

// TestLevelOfHints: LogLevel hint:… says how much is told, on stderr and in the log.
func TestLevelOfHints(t *testing.T) {
	t.Parallel()
	p := newInstance(t)
	const some = "LoadModule speling_module x\nCheckSpelling On\nCheckCaseOnly On\n" + passAll
	for level, want := range map[string]string{
		"": "httpd.conf:16,17: mod_speling: CheckSpelling, CheckCaseOnly have no effect here", "LogLevel debug\n": "httpd.conf:16,17: mod_speling: ",
		"LogLevel hint:info\n": "httpd.conf:17: CheckCaseOnly has no effect here", "LogLevel hint:error\n": "",
	} {
		p.conf(some + level)
		exit, _, errs := p.run("-t")
		if exit != 0 || want == "" && errs != "Syntax OK\n" || !strings.Contains(errs, want) {
			t.Errorf("%q: %d %s", level, exit, errs)
		}
	}
	p.conf(some + "LogLevel hint:info")
	p.start()
	p.signal(syscall.SIGTERM)
	p.exit()
	for _, where := range []string{p.said.String(), p.read("error.log")} {
		if !strings.Contains(where, "hint: "+p.root+"/httpd.conf:17: CheckCaseOnly has no effect here") {
			t.Errorf("not told in %s", where)
		}
	}
}

// TestLoginsOfForeignModules: an AuthType of theirs is told as what it is; given up, nobody is let in.
func TestLoginsOfForeignModules(t *testing.T) {
	p := newInstance(t)
	p.conf("LoadModule authn_core_module x\nLoadModule authz_user_module x\nLoadModule auth_openidc_module x\nOIDCProviderMetadataURL https://x/\n<Location /in>\nAuthType openid-connect\nRequire valid-user\n</Location>\n" + passAll)
	if exit, _, errs := p.run("-t"); exit != 1 || !strings.Contains(errs, "AuthType openid-connect is not supported\nhint: AuthType openid-connect belongs to mod_auth_openidc, ") {
		t.Error(exit, errs)
	}
	p.start("-D", "BALANCERD_WITHOUT_auth_openidc")
	if status, _ := p.get("/in"); status != 401 && status != 403 && status != 500 {
		t.Error("let in with", status)
	}
	if status, _ := p.get("/out"); status != 200 {
		t.Error(status)
	}
}
