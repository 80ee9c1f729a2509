package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// phpFPM is PHP-FPM's program; the test is skipped with a word where there is none.
func phpFPM(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"php-fpm8.2", "php-fpm8.3", "php-fpm8.4", "php-fpm"} {
		if _, err := exec.LookPath(name); err == nil {
			return name
		}
	}
	t.Skip("php-fpm is not installed")
	return ""
}

// variables is an answer that tells variables, a line each.
func (p *instance) variables(path string) map[string]string {
	p.t.Helper()
	status, body := p.ask("GET", path, nil)
	if status != 200 {
		p.t.Errorf("%s: %d %.200q", path, status, body)
	}
	all := map[string]string{}
	for line := range strings.Lines(body) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			all[name] = value
		}
	}
	return all
}

// echoing is a FastCGI member at an address that tells the variables it got, all of them, which net/http/fcgi does not.
func echoing(t *testing.T, at string) {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	serveEach(t, l, func(c net.Conn) {
		out := append([]byte("Content-Type: text/plain\r\n\r\n"), told(bufio.NewReader(c))...)
		record := func(kind byte, text []byte) {
			c.Write(append([]byte{1, kind, 0, 1, byte(len(text) >> 8), byte(len(text)), 0, 0}, text...))
		}
		record(6, out)
		record(3, make([]byte, 8))
	})
}

// told reads a request of FastCGI, and is its variables, a line each.
func told(r *bufio.Reader) (lines []byte) {
	var params []byte
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(r, head); err != nil {
			return nil
		}
		text := make([]byte, int(head[4])<<8|int(head[5])+int(head[6]))
		if _, err := io.ReadFull(r, text); err != nil {
			return nil
		}
		switch text = text[:len(text)-int(head[6])]; {
		case head[1] == 4:
			params = append(params, text...)
		case head[1] == 5 && len(text) == 0:
			for len(params) > 0 {
				name, value := length(&params), length(&params)
				lines = fmt.Appendf(lines, "%s=%s\n", params[:name], params[name:name+value])
				params = params[name+value:]
			}
			return lines
		}
	}
}

// length takes one, of a name or a value.
func length(p *[]byte) int {
	b := *p
	if b[0] < 128 {
		*p = b[1:]
		return int(b[0])
	}
	*p = b[4:]
	return int(b[0]&127)<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
}

// TestFastCGIAsHTTPDTestsIt: the configuration and the 42 steps of httpd's own t/modules/proxy_fcgi.t, with PHP-FPM on a port.
func TestFastCGIAsHTTPDTestsIt(t *testing.T) {
	php := phpFPM(t)
	if !ownNetwork(t) {
		return
	}
	p := newInstance(t)
	docs := filepath.Join(p.root, "htdocs")
	for _, d := range []string{"fcgi", "fcgi-generic", "fcgi-generic-rewrite", "fcgi-rewrite-path-info", "fcgi-action"} {
		os.MkdirAll(filepath.Join(docs, "modules/proxy", d), 0o755)
		p.write("htdocs/modules/proxy/"+d+"/index.php", "<?php ?>")
	}
	for _, d := range []string{"action/sub2", "pp/sub1"} {
		os.MkdirAll(filepath.Join(docs, "php/fpm", d), 0o755)
		p.write("htdocs/php/fpm/"+d+"/test.php", `<?php foreach ($_SERVER as $key => $value) { echo "$key=$value\n"; }`)
	}
	p.write("fpm.conf", "[global]\nerror_log = /dev/stderr\ndaemonize = no\n[www]\nuser = root\ngroup = root\nlisten = 127.0.0.1:9001\npm = static\npm.max_children = 1\n")
	p.launch(php, "-R", "-n", "-F", "-y", filepath.Join(p.root, "fpm.conf"))
	p.until("PHP listens", func() bool { return accepts("127.0.0.1:9001") })
	const at = "127.0.0.1:9000"
	echoing(t, at)
	p.conf(strings.ReplaceAll(fcgiSuite, "{fcgi}", at))
	p.start()
	proxied := "proxy:fcgi://" + at + docs
	const absent = "\x00"
	for _, c := range []struct {
		path string
		want map[string]string
	}{
		{"/fcgisetenv?query", map[string]string{"QUERY_STRING": "test_value", "TEST_NOT_SET": absent, "TEST_EMPTY": "", "TEST_DOCROOT": docs, "TEST_CGI_VERSION": "v1.1", "REMOTE_ADDR": absent}},
		{"/modules/proxy/fcgi-generic/index.php?query", map[string]string{"SCRIPT_FILENAME": docs + "/modules/proxy/fcgi-generic/index.php"}},
		{"/modules/proxy/fcgi-generic-rewrite/index.php?query", map[string]string{"SCRIPT_FILENAME": docs + "/modules/proxy/fcgi-generic-rewrite/index.php"}},
		{"/modules/proxy/fcgi-rewrite-path-info/path/info?query", map[string]string{"SCRIPT_FILENAME": proxied + "/modules/proxy/fcgi-rewrite-path-info/index.php",
			"SCRIPT_NAME": "/modules/proxy/fcgi-rewrite-path-info/index.php", "PATH_INFO": "/path/info", "PATH_TRANSLATED": docs + "/path/info", "QUERY_STRING": "query",
			"REDIRECT_URL": "/modules/proxy/fcgi-rewrite-path-info/path/info"}},
		{"/modules/proxy/fcgi-action/index.php/path/info?query", map[string]string{"SCRIPT_FILENAME": proxied + "/fcgi-action-virtual", "SCRIPT_NAME": "/fcgi-action-virtual",
			"PATH_INFO": "/modules/proxy/fcgi-action/index.php/path/info", "PATH_TRANSLATED": docs + "/modules/proxy/fcgi-action/index.php/path/info", "QUERY_STRING": "query",
			"REDIRECT_URL": "/modules/proxy/fcgi-action/index.php/path/info"}},
		{"/php/fpm/action/sub2/test.php/foo/bar?query", map[string]string{"SCRIPT_NAME": "/php/fpm/action/sub2/test.php", "PATH_INFO": "/foo/bar", "QUERY_STRING": "query",
			"PATH_TRANSLATED": docs + "/foo/bar", "FCGI_ROLE": "RESPONDER"}},
		{"/php-fpm-pp/php/fpm/pp/sub1/test.php/foo/bar?query", map[string]string{"SCRIPT_NAME": "/php-fpm-pp/php/fpm/pp/sub1/test.php", "PATH_INFO": "/foo/bar", "QUERY_STRING": "query",
			"PATH_TRANSLATED": docs + "/foo/bar", "FCGI_ROLE": "RESPONDER"}},
		{"/php-fpm-pp/php/fpm/pp/sub1/test.php", map[string]string{"PATH_INFO": absent, "PATH_TRANSLATED": absent}},
		{"/modules/proxy/fcgi/index.php", map[string]string{"SCRIPT_NAME": "/modules/proxy/fcgi/index.php"}},
	} {
		got := p.variables(c.path)
		for name, want := range c.want {
			if value, ok := got[name]; ok != (want != absent) || ok && value != want {
				t.Errorf("%s: %s is %q (there: %v), want %q", c.path, name, value, ok, want)
			}
		}
	}
}

// fcgiSuite is httpd's own configuration of that test.
const fcgiSuite = `LoadModule proxy_fcgi_module x
LoadModule rewrite_module x
LoadModule actions_module x
LoadModule mime_module x
DocumentRoot {root}/htdocs
<Location /fcgisetenv>
  SetHandler proxy:fcgi://{fcgi}
  ProxyFCGISetEnvIf true  QUERY_STRING test_value
  ProxyFCGISetEnvIf true  TEST_EMPTY
  ProxyFCGISetEnvIf false TEST_NOT_SET
  ProxyFCGISetEnvIf true  TEST_DOCROOT "%{DOCUMENT_ROOT}"
  ProxyFCGISetEnvIf "reqenv('GATEWAY_INTERFACE') =~ m#CGI/(.\..)#" TEST_CGI_VERSION "v$1"
  ProxyFCGISetEnvIf true !REMOTE_ADDR
</Location>
<Directory {root}/htdocs/modules/proxy/fcgi>
  <FilesMatch \.php$>
    SetHandler proxy:fcgi://{fcgi}
  </FilesMatch>
</Directory>
<Directory {root}/htdocs/modules/proxy/fcgi-generic>
  ProxyFCGIBackendType GENERIC
  <FilesMatch \.php$>
    SetHandler proxy:fcgi://{fcgi}
  </FilesMatch>
</Directory>
<Directory {root}/htdocs/php/fpm>
  ProxyFCGIBackendType FPM
</Directory>
<Directory {root}/htdocs/modules/proxy/fcgi-generic-rewrite>
  ProxyFCGIBackendType GENERIC
  RewriteEngine On
  RewriteRule ^.*\.php(/.*)?$ fcgi://{fcgi}{root}/htdocs/modules/proxy/fcgi-generic-rewrite/$0 [L,P]
</Directory>
<Directory {root}/htdocs/modules/proxy/fcgi-rewrite-path-info>
  RewriteEngine On
  RewriteCond %{REQUEST_FILENAME} !-f
  RewriteRule ^.*$ index.php/$0 [L]
  <Files index.php>
    SetHandler proxy:fcgi://{fcgi}
  </Files>
</Directory>
Action application/x-php-fpm /php/fpm/action virtual
<Location /php/fpm/action>
  SetHandler proxy:fcgi://localhost:9001
</Location>
<Directory {root}/htdocs/modules/proxy/fcgi-action>
  AddType application/x-fcgi-action .php
  Action application/x-fcgi-action /fcgi-action-virtual virtual
</Directory>
<Location /fcgi-action-virtual>
  SetHandler proxy:fcgi://{fcgi}
</Location>
Action application/x-php-fpm /php-fpm-pp/
ProxyPass /php-fpm-pp/ fcgi://localhost:9001/{root}/htdocs/
ProxyPassReverse /php-fpm-pp/ fcgi://localhost:9001/{root}/htdocs/
`

// TestUWSGIOnAPort: uWSGI with an application of Python, over TCP.
func TestUWSGIOnAPort(t *testing.T) {
	if _, err := exec.LookPath("uwsgi"); err != nil {
		t.Skip("uwsgi is not installed")
	}
	if !ownNetwork(t) {
		return
	}
	p := newInstance(t)
	p.write("app.py", wsgi)
	p.launch("uwsgi", "--plugin", "python3", "--master", "--socket", "127.0.0.1:3031", "--wsgi-file", filepath.Join(p.root, "app.py"))
	p.conf("LoadModule proxy_uwsgi_module x\nProxyPass /app uwsgi://127.0.0.1:3031/\n")
	p.start()
	p.until("it answers", func() bool {
		status, body := p.ask("GET", "/app/x?q=1", nil)
		return status == 200 && body == "hello /app /x q=1"
	})
	if status, body := p.ask("POST", "/app/length", strings.NewReader(strings.Repeat("x", 1<<20))); status != 200 || body != "1048576" {
		t.Error(status, body)
	}
	p.large("/app/large")
}
