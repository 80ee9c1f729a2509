package fcgi

import (
	"net"
	"strings"
	"testing"

	"balancerd/proxy/backend/membertest"
	"balancerd/proxy/exchange"
)

// told is what a member was sent: variables and body.
func told(t *testing.T, x *exchange.Exchange) (vars map[string]string, body []byte) {
	t.Helper()
	type request struct {
		vars map[string]string
		body []byte
	}
	read := make(chan request, 1)
	o := ask(t, x, func(c net.Conn) {
		vars, body, _ := readAll(c)
		read <- request{vars, body}
		c.Write(all(out("X-A: 1\r\n\r\nx"), end()))
	})
	if o.Status != 200 {
		t.Fatal(o)
	}
	r := <-read
	return r.vars, r.body
}

func TestBodies(t *testing.T) {
	for _, n := range []int{1, 8192, 16304, 16305, 65535, 65536, 300000} {
		text := strings.Repeat("z", n)
		for _, length := range []int64{int64(n), -1} {
			vars, body := told(t, membertest.Request("POST", "/x", text, length))
			if string(body) != text {
				t.Errorf("%d bytes of length %d: %d", n, length, len(body))
			}
			if want := itoa(n); vars["CONTENT_LENGTH"] != want {
				t.Errorf("CONTENT_LENGTH %q, want %s", vars["CONTENT_LENGTH"], want)
			}
			if _, has := vars["HTTP_TRANSFER_ENCODING"]; has {
				t.Error("the member is told of chunks that it does not get")
			}
		}
	}
	if vars, _ := told(t, get()); vars["CONTENT_LENGTH"] != "" {
		t.Error(vars)
	}
}

func itoa(n int) string {
	var a exchange.Arena
	return a.Int(int64(n))
}

// Variables take as many records as they need; one that none can take is left out.
func TestManyVariables(t *testing.T) {
	x := get()
	for i := range 60 {
		x.Req.Header.Add("X-"+itoa(i), strings.Repeat("v", 1000))
	}
	x.Env.Set("LARGEST", strings.Repeat("v", mostParams-len("LARGEST")-5))
	x.Env.Set("TOO_LARGE", strings.Repeat("v", mostParams))
	vars, _ := told(t, x)
	if len(vars["HTTP_X_59"]) != 1000 || len(vars["LARGEST"]) != mostParams-12 || vars["SCRIPT_NAME"] != "/x" {
		t.Error(len(vars), len(vars["HTTP_X_59"]), len(vars["LARGEST"]))
	}
	if _, has := vars["TOO_LARGE"]; has {
		t.Error("a variable that is too large was sent")
	}
}

// What httpd 2.4.71 makes of the path of fcgi://h/srv/v1.2/x.php/a%20b.
func TestPathInfo(t *testing.T) {
	for kind, want := range map[string][2]string{
		"":          {"", "proxy:fcgi://h/srv/v1.2/x.php/a%20b"},
		"first-dot": {"/x.php/a b", "proxy:fcgi://h/srv/v1.2/x.php/a%20b"},
		"Last-Dot":  {"/a b", "proxy:fcgi://h/srv/v1.2/x.php/a%20b"},
		"unescape":  {"/srv/v1.2/x.php/a b", "proxy:fcgi://h/srv/v1.2/x.php/a%20b"},
		"full":      {"", "proxy:fcgi://h/srv/v1.2/x.php/a%20b"},
		"1":         {"/srv/v1.2/x.php/a%20b", "proxy:fcgi://h/srv/v1.2/x.php/a%20b"},
	} {
		x := get()
		x.Out.Target, x.Out.URL = "/srv/v1.2/x.php/a%20b", "fcgi://h/srv/v1.2/x.php/a%20b"
		x.State[exchange.StateFCGI] = &Chosen{&Settings{}, kind}
		c := codec{x: x}
		r := requestOf(&c)
		if r.PathInfo != want[0] || r.Filename != want[1] {
			t.Errorf("%s: %q %q", kind, r.PathInfo, r.Filename)
		}
		x.State[exchange.StateFCGI] = &Chosen{&Settings{Generic: true}, kind}
		if r := requestOf(&c); r.Filename != "/srv/v1.2/x.php/a%20b" {
			t.Errorf("%s: %q", kind, r.Filename)
		}
	}
}
