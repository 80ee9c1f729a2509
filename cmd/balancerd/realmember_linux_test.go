package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is a server that members are served by, started for a test; its output is kept.
type program struct {
	*exec.Cmd
	said *output
}

// launch starts a program, which ends with the test. It is skipped with a word where the program is not installed.
func (p *instance) launch(name string, args ...string) *program {
	p.t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		p.t.Skipf("%s is not installed", name)
	}
	c := &program{exec.Command(path, args...), &output{}}
	c.Stdout, c.Stderr, c.Dir = c.said, c.said, p.root
	dieWithUs(c.Cmd)
	c.SysProcAttr.Setpgid = true // its children end with it
	c.WaitDelay = 5 * time.Second
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		c.Wait()
		if p.t.Failed() {
			p.t.Logf("%s said:\n%.5000s", name, c.said.String())
		}
	})
	return c
}

// output is what a program said; it may be read while that goes on.
type output struct {
	b bytes.Buffer
}

func (o *output) hold() func() {
	outputs <- struct{}{}
	return func() { <-outputs }
}

var outputs = make(chan struct{}, 1)

func (o *output) Write(p []byte) (int, error) {
	defer o.hold()()
	return o.b.Write(p)
}

func (o *output) String() string {
	defer o.hold()()
	return o.b.String()
}

// ask is a request to the instance: its status and body.
func (p *instance) ask(method, path string, body io.Reader) (int, string) {
	p.t.Helper()
	q, err := http.NewRequest(method, p.url(path), body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return r.StatusCode, string(b) + " " + err.Error()
	}
	return r.StatusCode, string(b)
}

// zeros is an upload that costs no memory.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// bodies holds a member that says how long a body is to 100 MiB, which must not be held in memory.
func (p *instance) bodies(path string) {
	p.t.Helper()
	if status, body := p.ask("POST", path, zeros(1<<20)); status != 200 || body != "1048576" {
		p.t.Fatal(status, body)
	}
	before := p.resident()
	if status, body := p.ask("POST", path, zeros(100<<20)); status != 200 || body != "104857600" {
		p.t.Error(status, body)
	}
	if grown := p.resident() - before; grown > 32<<20 {
		p.t.Errorf("%d bytes of memory for an upload of 100 MiB", grown)
	}
}

// large reads 64 MiB of an answer.
func (p *instance) large(path string) {
	p.t.Helper()
	if status, body := p.ask("GET", path, nil); status != 200 || len(body) != 64<<20 {
		p.t.Error(status, len(body))
	}
}

func (p *instance) socket(name string) bool {
	_, err := os.Stat(filepath.Join(p.root, name))
	return err == nil
}

// TestPHP: PHP-FPM, over a unix socket, as a distribution configures it.
func TestPHP(t *testing.T) {
	p := newInstance(t)
	p.write("fpm.conf", "[global]\nerror_log = /dev/stderr\ndaemonize = no\n[www]\nuser = root\ngroup = root\nlisten = {root}/php.sock\nlisten.mode = 0666\npm = static\npm.max_children = 2\n")
	os.Mkdir(filepath.Join(p.root, "docs"), 0o755)
	p.write("docs/index.php", `<?php header("X-Script: $_SERVER[SCRIPT_NAME]"); echo "hello $_SERVER[PATH_INFO]$_GET[q]";`)
	p.write("docs/length.php", `<?php $n = 0; $f = fopen("php://input", "r"); while (!feof($f)) $n += strlen(fread($f, 65536)); echo $n;`)
	p.write("docs/large.php", `<?php for ($i = 0; $i < 64; $i++) { echo str_repeat("x", 1 << 20); flush(); }`)
	p.write("docs/crash.php", `<?php echo "begun"; flush(); shell_exec("kill -9 " . getmypid()); sleep(5);`)
	p.write("docs/fatal.php", `<?php error_log("from the script"); nothing();`)
	php := phpFPM(t)
	p.launch(php, "-R", "-n", "-F", "-y", filepath.Join(p.root, "fpm.conf"), "-d", "post_max_size=0", "-d", "display_errors=0", "-d", "log_errors=1")
	p.until("PHP listens", func() bool { return p.socket("php.sock") })
	good, bad := []string{"unix:{root}/php.sock|fcgi://a/ hcmethod=TCP"}, []string{"unix:{root}/php.sock|fcgi://b/ hcmethod=GET hcuri=index.php timeout=2", "unix:{root}/none.sock|fcgi://c/ hcmethod=TCP"}
	p.conf(`LoadModule dir_module x
LoadModule proxy_fcgi_module x
DocumentRoot {root}/docs
DirectoryIndex index.php
<FilesMatch "\.php$">
SetHandler "proxy:unix:{root}/php.sock|fcgi://localhost"
</FilesMatch>
<Proxy "fcgi://localhost/" enablereuse=on max=2>
</Proxy>
` + checkedMembers("checked", good, bad))
	p.start()
	p.judged(good, bad)
	for range 5 { // on one connection
		if status, body := p.ask("GET", "/index.php/more?q=1", nil); status != 200 || body != "hello /more1" {
			t.Fatal(status, body)
		}
	}
	if status, body := p.ask("GET", "/", nil); status != 200 || body != "hello " {
		t.Error(status, body)
	}
	if status, body := p.ask("GET", "/none.php", nil); status != 404 || body != "File not found.\n" {
		t.Error(status, body)
	}
	p.bodies("/length.php")
	p.large("/large.php")
	if status, _ := p.ask("GET", "/fatal.php", nil); status != 500 {
		t.Error(status)
	}
	if log := p.read("error.log"); !strings.Contains(log, "AH01071: Got error 'from the script") && !strings.Contains(log, "from the script") {
		t.Error("what the script said is not in the log")
	}
	if status, body := p.ask("GET", "/crash.php", nil); status != 503 && !strings.Contains(body, "EOF") {
		t.Errorf("a script that dies: %d %q", status, body)
	}
	if status, body := p.ask("GET", "/index.php/x", nil); status != 200 || body != "hello /x" {
		t.Errorf("after it: %d %q", status, body)
	}
}

const wsgi = `def application(env, start):
    path = env['PATH_INFO']
    if path == '/length':
        n = 0
        while True:
            p = env['wsgi.input'].read(65536)
            if not p:
                break
            n += len(p)
        body = [str(n).encode()]
    elif path == '/large':
        body = (b'x' * 65536 for i in range(1024))
    elif path == '/crash':
        import os
        def half():
            yield b'begun'
            os._exit(3)
        start('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '10')])
        return half()
    else:
        body = ['hello {} {} {}'.format(env['SCRIPT_NAME'], path, env['QUERY_STRING']).encode()]
    start('200 OK', [('Content-Type', 'text/plain')])
    return body
`

// TestUWSGI: uWSGI with an application of Python, over a unix socket.
func TestUWSGI(t *testing.T) {
	p := newInstance(t)
	p.write("app.py", wsgi)
	p.launch("uwsgi", "--plugin", "python3", "--master", "--socket", filepath.Join(p.root, "app.sock"), "--chmod-socket=666", "--wsgi-file", filepath.Join(p.root, "app.py"))
	p.until("uWSGI listens", func() bool { return p.socket("app.sock") })
	good, bad := []string{"unix:{root}/app.sock|uwsgi://a/ hcmethod=TCP"}, []string{"unix:{root}/none.sock|uwsgi://b/ hcmethod=TCP"}
	p.conf("LoadModule proxy_uwsgi_module x\nProxyPass /app unix:{root}/app.sock|uwsgi://localhost/\n" + checkedMembers("checked", good, bad))
	p.start()
	p.judged(good, bad)
	p.until("it answers", func() bool {
		status, body := p.ask("GET", "/app/x?q=1", nil)
		return status == 200 && body == "hello /app /x q=1"
	})
	if status, body := p.ask("POST", "/app/length", bytes.NewReader(make([]byte, 1<<20))); status != 200 || body != "1048576" {
		t.Error(status, body)
	}
	p.large("/app/large")
	if status, body := p.ask("GET", "/app/crash", nil); status == 200 && !strings.Contains(body, "EOF") {
		t.Errorf("an application that dies: %d %q", status, body)
	}
	p.until("it answers again", func() bool {
		status, _ := p.ask("GET", "/app/x", nil)
		return status == 200
	})
}

const tomcatServer = `<Server port="-1"><Service name="C"><Connector protocol="AJP/1.3" address="127.0.0.1" port="0" %s allowedRequestAttributesPattern=".*"/>
<Engine name="C" defaultHost="localhost" jvmRoute="n1"><Host name="localhost" appBase="webapps"/></Engine></Service></Server>`

// TestTomcat: Tomcat over AJP, with a secret and without one, on a port that the system chooses.
func TestTomcat(t *testing.T) {
	const home = "/usr/share/tomcat10"
	if _, err := os.Stat(home + "/bin/catalina.sh"); err != nil {
		t.Skip("tomcat10 is not installed")
	}
	if testing.Short() {
		t.Skip("a Java machine takes its time")
	}
	p := newInstance(t)
	for _, dir := range []string{"conf", "webapps/app", "temp", "logs", "work"} {
		os.MkdirAll(filepath.Join(p.root, "tomcat", dir), 0o755)
	}
	web, err := os.ReadFile("/etc/tomcat10/web.xml")
	if err != nil {
		t.Skip(err)
	}
	os.WriteFile(filepath.Join(p.root, "tomcat/conf/web.xml"), web, 0o644)
	p.write("tomcat/conf/server.xml", fmt.Sprintf(tomcatServer, `secret="s3"`))
	p.write("tomcat/webapps/app/x.jsp", `<% java.io.InputStream in = request.getInputStream(); byte[] b = new byte[65536]; long n = 0; int k; while ((k = in.read(b)) > 0) n += k; out.print(request.getMethod() + " " + request.getRequestURI() + " " + request.getQueryString() + " " + request.getServerName() + " " + n); %>`)
	p.write("tomcat/webapps/app/length.jsp", `<% java.io.InputStream in = request.getInputStream(); byte[] b = new byte[65536]; long n = 0; int k; while ((k = in.read(b)) > 0) n += k; out.print(n); %>`)
	p.write("tomcat/webapps/app/large.jsp", `<% char[] b = new char[65536]; java.util.Arrays.fill(b, 'x'); for (int i = 0; i < 1024; i++) out.write(b); %>`)
	os.Setenv("CATALINA_HOME", home)
	os.Setenv("CATALINA_BASE", filepath.Join(p.root, "tomcat"))
	c := p.launch(home+"/bin/catalina.sh", "run")
	port := ""
	by := time.Now().Add(2 * time.Minute)
	for listening := regexp.MustCompile(`"ajp-nio-127\.0\.0\.1-auto-\d+-(\d+)"\]`); port == ""; time.Sleep(50 * time.Millisecond) {
		if m := listening.FindStringSubmatch(c.said.String()); m != nil {
			port = m[1]
		} else if time.Now().After(by) {
			t.Fatal("Tomcat does not listen")
		}
	}
	good, bad := []string{"ajp://127.0.0.1:" + port + "/a hcmethod=CPING", "ajp://127.0.0.1:" + port + "/b hcmethod=TCP"}, []string{"ajp://127.0.0.1:" + port + "/c hcmethod=GET timeout=2"}
	p.conf("LoadModule proxy_ajp_module x\nTimeout 60\nProxyPass /good ajp://127.0.0.1:" + port + "/app secret=s3 ping=10\n" +
		"<Proxy balancer://none>\nBalancerMember ajp://127.0.0.1:" + port + "\n</Proxy>\nProxyPass /bad balancer://none/app\n" + checkedMembers("checked", good, bad))
	p.start()
	p.judged(good, bad)
	for range 5 {
		if status, body := p.ask("GET", "/good/x.jsp?a=b", nil); status != 200 || body != "GET /app/x.jsp a=b 127.0.0.1 0" {
			t.Fatal(status, body)
		}
	}
	if status, _ := p.ask("GET", "/bad/x.jsp", nil); status != 403 {
		t.Errorf("without the secret: %d", status)
	}
	if status, body := p.ask("POST", "/good/x.jsp", strings.NewReader("abc")); status != 200 || body != "POST /app/x.jsp null 127.0.0.1 3" {
		t.Error(status, body)
	}
	p.bodies("/good/length.jsp")
	p.large("/good/large.jsp")
}
