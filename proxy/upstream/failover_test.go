package upstream_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy/proxytest"
	"balancerd/proxy/upstream"
)

// failing is a backend where one host fails in one way and the others answer 200 with their name.
// The Detail of a failed handshake is the name that was asked for, that of NoContinue "Expect" for a
// client's own.
func failing(host string, f backend.Failure) proxytest.Answerer {
	return func(w *balancer.Worker, x *exchange.Exchange, call *backend.Call) error {
		if w.Address().Host == host {
			e := f
			switch {
			case f.Kind == backend.Handshake:
				call.Name, e.Detail = f.Detail, ""
			case f.Kind == backend.NoContinue && f.Detail != "":
				x.Out.Expect, e.Detail = true, ""
			}
			e.Host, e.Port = host, 81
			return &e
		}
		x.Res.Status = 200
		x.Res.Text(w.Address().Host)
		return nil
	}
}

const pair = "<Proxy balancer://c>\nBalancerMember http://b1:81 retry=600\nBalancerMember http://b2:81\n</Proxy>\nProxyPass / balancer://c/\n"

// TestOutcomes is the table of what each point of failure means: to the client, to the member, to the
// log, and whether another member is tried.
func TestOutcomes(t *testing.T) {
	refused := error(syscall.ECONNREFUSED)
	aborted := &exchange.BodyError{Status: 408, Err: io.ErrUnexpectedEOF}
	noHandshake := "[proxy:error client] AH01084: pass request body failed to b1:81 (b1)\n[proxy_http:error client] AH01097: pass request body failed to b1:81 (b1) from 127.0.0.1 ()\n[proxy:error client] AH00898: Error during SSL Handshake with remote server returned by /x"
	rows := map[backend.Kind]bool{}
	for _, c := range []struct {
		name    string
		failure backend.Failure
		status  int
		words   string // of the reason
		failed  bool   // the member is in error
		over    bool   // another one answers
		log     string
	}{
		{"no descriptor", backend.Failure{Kind: backend.Starved, Err: syscall.EMFILE}, 503, "", false, false, ""},
		{"foreign name", backend.Failure{Kind: backend.Handshake, Detail: "foreign.example"}, 500, "Error during SSL Handshake with remote server", false, false, noHandshake},
		{"the server's own name", backend.Failure{Kind: backend.Handshake, Detail: "localhost"}, 500, "Error during SSL Handshake with remote server", true, false, noHandshake},
		{"the member's own name", backend.Failure{Kind: backend.Handshake, Detail: "B1"}, 500, "Error during SSL Handshake with remote server", true, false, noHandshake},
		{"client's own Expect", backend.Failure{Kind: backend.NoContinue, Timeout: true, Detail: "Expect"}, 503, "Timeout on 100-Continue", false, false,
			"[proxy_http:error client] AH01102: error reading status line from remote server b1:81\n[proxy:error client] AH00898: Timeout on 100-Continue returned by /x"},
		{"member ends under the body", backend.Failure{Kind: backend.WriteBody, Err: syscall.EPIPE, Sent: true, Partial: true}, 502, "", false, false,
			"[proxy:error client] (32)Broken pipe: AH01084: pass request body failed to b1:81 (b1)\n[proxy_http:error client] AH01097: pass request body failed to b1:81 (b1) from 127.0.0.1 ()"},
		{"write body", backend.Failure{Kind: backend.WriteBody, Err: syscall.EPIPE, Sent: true}, 502, "", false, false,
			"[proxy:error client] (32)Broken pipe: AH01084: pass request body failed to b1:81 (b1)\n[proxy_http:error client] AH01097: pass request body failed to b1:81 (b1) from 127.0.0.1 ()"},
		{"closed under the body", backend.Failure{Kind: backend.EarlyClose, Err: io.EOF, Sent: true, Partial: true}, 502, "Error reading from remote server", false, false,
			"[proxy_http:error client] (70014)End of file found: AH01102: error reading status line from remote server b1:81\n[proxy:error client] AH00898: Error reading from remote server returned by /x"},
		{"framing", backend.Failure{Kind: backend.BadFraming, Detail: "two lengths"}, 502, "Malformed response from remote server: two lengths", false, false,
			"[proxy:error client] AH00898: Malformed response from remote server: two lengths returned by /x"},
		{"a length that is no number", backend.Failure{Kind: backend.BadFraming, Detail: "invalid Content-Length"}, 502, "", false, false,
			"[proxy_http:error client] AH01110: error reading response: invalid Content-Length"},
		{"pool", backend.Failure{Kind: backend.Exhausted}, 503, "", false, false, ""},
		{"name", backend.Failure{Kind: backend.NoName}, 500, "DNS lookup failure for: b1", true, false, "[proxy:error client] AH00898: DNS lookup failure for: b1 returned by /x"},
		{"name of a remote", backend.Failure{Kind: backend.NoRemote}, 500, "DNS lookup failure for: b1", false, false, "[proxy:error client] AH00898: DNS lookup failure for: b1 returned by /x"},
		{"refused", backend.Failure{Kind: backend.Refused, Err: refused}, 503, "", true, true,
			"[proxy:error] AH00959: ap_proxy_connect_backend disabling worker for (b1:81) for 600s\n[proxy_http:error client] AH01114: HTTP: failed to make connection to backend: b1"},
		{"tls", backend.Failure{Kind: backend.NoTLS, Detail: "127.0.0.2:81"}, 500, "", true, false, "[core:error remote 127.0.0.2:81] AH01961:  failed to enable ssl support [Hint: if using mod_ssl, see SSLProxyEngine]\n[proxy:error] AH00961: http: failed to enable ssl support for b1:81 (b1)"},
		{"handshake", backend.Failure{Kind: backend.Handshake}, 500, "Error during SSL Handshake with remote server", true, false,
			"[proxy:error client] AH01084: pass request body failed to b1:81 (b1)\n[proxy_http:error client] AH01097: pass request body failed to b1:81 (b1) from 127.0.0.1 ()\n[proxy:error client] AH00898: Error during SSL Handshake with remote server returned by /x"},
		{"scheme", backend.Failure{Kind: backend.BadScheme}, 503, "", false, false, "[proxy:error client] AH00934: all workers are busy.  Unable to serve balancer://c/x"},
		{"client", backend.Failure{Kind: backend.ClientBody, Err: aborted}, 408, "", false, false,
			"[proxy:error client] (70008)Partial results are valid but processing is incomplete: AH01095: prefetch request body failed to b1:81 (b1) from 127.0.0.1 ()"},
		{"write head", backend.Failure{Kind: backend.WriteHead, Err: syscall.EPIPE}, 502, "", false, false,
			"[proxy:error client] (32)Broken pipe: AH01084: pass request body failed to b1:81 (b1)\n[proxy_http:error client] AH01097: pass request body failed to b1:81 (b1) from 127.0.0.1 ()"},
		{"write body, timeout", backend.Failure{Kind: backend.WriteBody, Timeout: true, Sent: true}, 504, "", false, false,
			"[proxy:error client] AH01084: pass request body failed to b1:81 (b1)\n[proxy_http:error client] AH01097: pass request body failed to b1:81 (b1) from 127.0.0.1 ()"},
		{"no continue", backend.Failure{Kind: backend.NoContinue}, 503, "Timeout on 100-Continue", true, true,
			"[proxy_http:error client] AH01102: error reading status line from remote server b1:81\n[proxy:error client] AH00898: Timeout on 100-Continue returned by /x"},
		{"no continue, body gone", backend.Failure{Kind: backend.NoContinue, Sent: true}, 503, "Timeout on 100-Continue", true, false,
			"[proxy_http:error client] AH01102: error reading status line from remote server b1:81\n[proxy:error client] AH00898: Timeout on 100-Continue returned by /x"},
		{"closed", backend.Failure{Kind: backend.EarlyClose, Err: syscall.ECONNRESET}, 502, "Error reading from remote server", false, false,
			"[proxy_http:error client] (104)Connection reset by peer: AH01102: error reading status line from remote server b1:81\n[proxy:error client] AH00898: Error reading from remote server returned by /x"},
		{"silent", backend.Failure{Kind: backend.ReadTimeout, Timeout: true}, 502, "Error reading from remote server", false, false,
			"[proxy_http:error client] AH01102: error reading status line from remote server b1:81\n[proxy:error client] AH00898: Error reading from remote server returned by /x"},
		{"status line", backend.Failure{Kind: backend.BadStatusLine, Detail: "HTTP/2.0 200 <OK>"}, 502, "Corrupt status line returned by remote server: HTTP/2.0 200 &lt;OK&gt;", false, false,
			"[proxy:error client] AH00898: Corrupt status line returned by remote server: HTTP/2.0 200 <OK> returned by /x"},
		{"head", backend.Failure{Kind: backend.BadHead}, 502, "", false, false, "[proxy_http:warn client] AH01106: bad HTTP/1.1 header returned by /x (GET)"},
		{"head with NUL", backend.Failure{Kind: backend.BadHead, Err: syscall.EINVAL}, 502, "", false, false,
			"[proxy_http:warn client] (22)Invalid argument: AH10404: Error reading headers from backend\n[proxy_http:warn client] AH01106: bad HTTP/1.1 header returned by /x (GET)"},
		{"head ended", backend.Failure{Kind: backend.BadHead, Err: io.EOF}, 502, "", false, false,
			"[proxy_http:warn client] (70014)End of file found: AH10404: Error reading headers from backend\n[proxy_http:warn client] AH01106: bad HTTP/1.1 header returned by /x (GET)"},
		{"interim", backend.Failure{Kind: backend.TooManyInterim}, 502, "Too many (10) interim responses from origin server", false, false,
			"[proxy:error client] AH00898: Too many (10) interim responses from origin server returned by /x"},
		{"upgrade", backend.Failure{Kind: backend.WrongUpgrade, Detail: "other (expecting n/a)"}, 502, "Unexpected Upgrade: other (expecting n/a)", false, false,
			"[proxy:error client] AH00898: Unexpected Upgrade: other (expecting n/a) returned by /x"},
		{"not taken", backend.Failure{Kind: backend.NotTaken}, 503, "", false, true, "[proxy_http2:error client] AH03364: the member b1:81 did not take the request"},
		{"not taken, body gone", backend.Failure{Kind: backend.NotTaken, Sent: true}, 503, "", false, false, "[proxy_http2:error client] AH03364: the member b1:81 did not take the request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := proxytest.New(t, pair, failing("b1", c.failure))
			x := r.Get("GET /x HTTP/1.1")
			rows[rowOf(c.failure)] = true
			m := r.Farm.Balancer(r.Site.Hosts[0].Server.ID, "c").Members()[0]
			if failed := m.Status()&balancer.InError != 0; failed != c.failed {
				t.Errorf("member is %s", m.Status())
			}
			if log := r.Log.Take(); log != c.log {
				t.Errorf("log\n%s\nwant\n%s", log, c.log)
			}
			page := proxytest.Body(x)
			switch {
			case c.over && (x.Res.Status != 200 || page != "b2"):
				t.Errorf("no failover: %d", x.Res.Status)
			case !c.over && x.Res.Status != c.status:
				t.Errorf("status %d, want %d", x.Res.Status, c.status)
			case !c.over && c.words != "" && x.Res.Reason != "Proxy Error":
				t.Errorf("reason %q", x.Res.Reason)
			case !c.over && c.words != "" && c.status != 503 && !strings.Contains(page, "<strong>"+c.words+"</strong>"):
				t.Errorf("page %s", page)
			}
		})
	}
	for k := backend.Kind(1); k < upstream.Rows; k++ {
		if !rows[k] && k != backend.BadScheme { // see TestSchemeWithoutHandler
			t.Errorf("no test for row %d", k)
		}
	}
}

// rowOf is the row of the table that a failure of failing is meant for.
func rowOf(e backend.Failure) backend.Kind {
	name := ""
	if e.Kind == backend.Handshake {
		name = e.Detail
	}
	return upstream.RowOf(e, name, e.Kind == backend.NoContinue && e.Detail == "Expect")
}

// What a client can bring about is nothing that failonstatus= and failontimeout= see, nor is what we lack
// ourselves.
func TestClientsKnockNobodyOut(t *testing.T) {
	late := &exchange.BodyError{Status: 408, Err: os.ErrDeadlineExceeded}
	for _, f := range []backend.Failure{
		{Kind: backend.ClientBody, Err: late, Timeout: true},
		{Kind: backend.ClientBody, Err: &exchange.BodyError{Status: 400, Err: io.ErrUnexpectedEOF}},
		{Kind: backend.ClientBody, Err: &exchange.BodyError{Status: 413, Err: io.ErrUnexpectedEOF}},
		{Kind: backend.ClientBody, Err: &exchange.BodyError{Status: 500, Err: syscall.ENOSPC}},
		{Kind: backend.Exhausted}, {Kind: backend.Starved, Err: syscall.EMFILE},
		{Kind: backend.WriteBody, Err: syscall.EPIPE, Partial: true}, {Kind: backend.EarlyClose, Err: io.EOF, Partial: true},
		{Kind: backend.NoContinue, Timeout: true, Detail: "Expect"},
		{Kind: backend.Handshake, Detail: "foreign.example"},
	} {
		r := proxytest.New(t, pair+"ProxySet balancer://c failonstatus=400,408,413,500,502,503,504 failontimeout=On\n", failing("b1", f))
		r.Get("GET /x HTTP/1.1")
		if m := r.Farm.Balancer(r.Site.Hosts[0].Server.ID, "c").Members()[0]; !m.Usable() {
			t.Errorf("%+v: %s, %s", f, m.Status(), r.Log.Take())
		}
	}
}

// What a member had said before it failed is not the next one's; what was there before stays.
func TestFieldsOfAFailedMember(t *testing.T) {
	r := proxytest.New(t, pair, func(w *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
		host := w.Address().Host
		x.Res.Always.F[0].Value += ", " + host
		x.Res.Always.Add("X-Member", host)
		if x.Res.Always.Add("Set-Cookie", host); host == "b1" || x.Req.Path == "/none" {
			return &backend.Failure{Kind: backend.Refused, Err: syscall.ECONNREFUSED, Host: host, Port: 81}
		}
		x.Res.Status = 200
		return nil
	})
	for path, want := range map[string]string{
		"/x":    "200 Vary: own, b2; X-Member: b2; Set-Cookie: b2; ",
		"/none": "503 Vary: own, b2; X-Member: b2; Set-Cookie: b2; ", // the last one's stay
	} {
		r.Load(pair)
		x := proxytest.Request("GET " + path + " HTTP/1.1")
		x.Res.Always.Add("Vary", "own")
		r.Site.Serve(t.Context(), x)
		got := fmt.Sprint(x.Res.Status, " ")
		for _, f := range x.Res.Always.F {
			got += f.Name + ": " + f.Value + "; "
		}
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		r.Finish(x)
	}
}

// A worker without a balancer is never put into error, and has nobody to take over.
func TestPlainWorkerIsNotBlamed(t *testing.T) {
	r := proxytest.New(t, "ProxyPass / http://b1:81/\n", failing("b1", backend.Failure{Kind: backend.Refused, Err: syscall.ECONNREFUSED}))
	for range 2 {
		if x := r.Get("GET /x HTTP/1.1"); x.Res.Status != 503 {
			t.Error(x.Res.Status)
		}
	}
	if log := r.Log.Take(); log != strings.TrimSpace(strings.Repeat("[proxy_http:error client] AH01114: HTTP: failed to make connection to backend: b1\n", 2)) {
		t.Error(log)
	}
}

func TestDisabledPlainWorker(t *testing.T) {
	for set, want := range map[string]int{"+D": 503, "+S": 503, "+C": 503, "+E": 200, "+N": 200} {
		r := proxytest.New(t, "ProxyPass / http://b1:81/ status="+set+"\n", failing("none", backend.Failure{}))
		x := r.Get("GET / HTTP/1.1")
		log := r.Log.Take()
		if x.Res.Status != want || (log == "[proxy:error] AH00940: http: disabled connection for (b1:81)") != (want == 503) {
			t.Errorf("%s: %d %s", set, x.Res.Status, log)
		}
	}
}

// What another module mapped, and what no-proxy excludes, is left alone.
func TestMappedElsewhere(t *testing.T) {
	asked := ""
	r := proxytest.New(t, "ProxyPass / http://b1/\n", func(w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error {
		asked = w.URL() + " " + c.Host + x.Out.Target
		return nil
	})
	x := proxytest.Request("GET /x?q HTTP/1.1")
	x.Filename, x.Handler = "proxy:http://other/y z", "proxy-server"
	r.Site.Serve(t.Context(), x)
	if asked != "proxy:reverse other/y%20z?q" {
		t.Error(asked)
	}
	asked = ""
	x = proxytest.Request("GET /x HTTP/1.1")
	x.Env.Set("no-proxy", "1")
	r.Site.Serve(t.Context(), x)
	if asked != "" || x.Res.Status != 404 {
		t.Error(asked, x.Res.Status)
	}
}

func TestSchemeWithoutHandler(t *testing.T) {
	r := proxytest.New(t, "ProxyPass /a foo://b1:81/\n", failing("b1", backend.Failure{Kind: backend.BadScheme}))
	x := r.Get("GET /a HTTP/1.1")
	if log := r.Log.Take(); x.Res.Status != 500 || !strings.HasPrefix(log, "[proxy:warn client] AH01144: No protocol handler was valid for the URL /a (scheme 'foo'). If you are") {
		t.Errorf("%d %s", x.Res.Status, log)
	}
}

// What debug tells of a choice (recorded from httpd).
func TestPicksAreToldAtDebug(t *testing.T) {
	for level, want := range map[string]string{
		"info": "",
		"debug": "[proxy_balancer:debug client] AH01161: Found route r\n" +
			"[proxy_balancer:debug client] AH01172: balancer://c: worker (http://b1/p) rewritten to http://b1/p/a%20b?S=x.r",
	} {
		r := proxytest.New(t, "LogLevel "+level+"\n<Proxy balancer://c>\nBalancerMember http://b1/p route=r\nProxySet stickysession=S\n</Proxy>\nProxyPass / balancer://c/\n",
			func(w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error { return nil })
		r.Get("GET /a%20b?S=x.r HTTP/1.1")
		if log := r.Log.Take(); log != want {
			t.Errorf("%s: %s", level, log)
		}
	}
}

// A balancer is no member: which schemes nobody speaks is told apart (recorded from httpd).
func TestBalancerAsMember(t *testing.T) {
	for _, scheme := range []string{"balancer", "foo"} {
		r := proxytest.New(t, "<Proxy balancer://c>\nBalancerMember "+scheme+"://in\n</Proxy>\nProxyPass / balancer://c/\n", failing("in", backend.Failure{Kind: backend.BadScheme}))
		x := r.Get("GET /a HTTP/1.1")
		status, line := exchange.Status(500), "[proxy:warn client] AH01144: No protocol handler was valid for the URL /a (scheme 'balancer'). If"
		if scheme == "foo" {
			status, line = 503, "[proxy:error client] AH00934: all workers are busy.  Unable to serve balancer://c/a"
		}
		if log := r.Log.Take(); x.Res.Status != int(status) || !strings.HasPrefix(log, line) {
			t.Errorf("%s: %d %s", scheme, x.Res.Status, log)
		}
	}
}

// On a kept client connection a lost member connection shows as a lost client connection, so that the
// client may try again.
func TestLostUnderKeptConnection(t *testing.T) {
	for _, reused := range []bool{false, true} {
		r := proxytest.New(t, pair, failing("b1", backend.Failure{Kind: backend.EarlyClose, Reused: reused, Err: syscall.ECONNRESET}))
		x := proxytest.Request("GET /x HTTP/1.1")
		x.Conn.Kept = 1
		r.Site.Serve(t.Context(), x)
		r.Finish(x)
		m := r.Farm.Balancer(r.Site.Hosts[0].Server.ID, "c").Members()[0]
		if !x.Res.Drop || x.Res.Status != 502 || !m.Usable() {
			t.Errorf("reused %v: %v %d %s", reused, x.Res.Drop, x.Res.Status, m.Status())
		}
		if log := r.Log.Take(); strings.Contains(log, "AH00898") || !strings.Contains(log, "AH01102") {
			t.Error(log)
		}
	}
}

func TestAttempts(t *testing.T) {
	for _, c := range []struct {
		set   string
		tried int
	}{{"", 4}, {"maxattempts=0", 1}, {"maxattempts=2", 3}, {"maxattempts=9", 10}} {
		tried := 0
		r := proxytest.New(t, "<Proxy balancer://c>\nBalancerMember http://b1\nBalancerMember http://b2\nBalancerMember http://b3\nBalancerMember http://b4\nProxySet timeout=1 "+c.set+"\n</Proxy>\nProxyPass / balancer://c/\n",
			func(*balancer.Worker, *exchange.Exchange, *backend.Call) error {
				tried++
				return &backend.Failure{Kind: backend.Refused, Err: syscall.ECONNREFUSED}
			})
		if x := r.Get("GET / HTTP/1.1"); x.Res.Status != 503 || tried != c.tried {
			t.Errorf("%s: %d, tried %d, want %d", c.set, x.Res.Status, tried, c.tried)
		}
	}
}

// TestRetryZeroFailsOver: the request that found a member broken goes to another one, retry=0 or not; when there is
// none, all are forced to recover. The next request asks the member again.
func TestRetryZeroFailsOver(t *testing.T) {
	for _, c := range []struct{ members, set, want string }{
		{"BalancerMember http://b1:81 retry=0\nBalancerMember http://b2:81 retry=0\nBalancerMember http://b3:81 retry=0\n", "maxattempts=1", "b1 b2, b3, b2,"},
		{"BalancerMember http://b1:81 retry=0\nBalancerMember http://b1:82 retry=600\n", "", "b1 b1, b1 b1, b1 b1,"},
		{"BalancerMember http://b1:81 retry=0\nBalancerMember http://b1:82 retry=600\n", "forcerecovery=Off", "b1 b1, b1, b1,"},
	} {
		tried := ""
		fail := failing("b1", backend.Failure{Kind: backend.Refused, Err: syscall.ECONNREFUSED})
		r := proxytest.New(t, "<Proxy balancer://c>\n"+c.members+"ProxySet maxattempts=1 "+c.set+"\n</Proxy>\nProxyPass / balancer://c/\n",
			func(w *balancer.Worker, x *exchange.Exchange, call *backend.Call) error {
				tried += " " + w.Address().Host
				return fail(w, x, call)
			})
		for range 3 {
			r.Get("GET / HTTP/1.1")
			tried += ","
		}
		if tried = strings.TrimSpace(tried); tried != c.want {
			t.Errorf("%s%s: %s, want %s", c.members, c.set, tried, c.want)
		}
	}
}

// A member with status=+I stays usable whatever happens, so nobody takes over for it.
func TestIgnoredErrorsDoNotFailOver(t *testing.T) {
	r := proxytest.New(t, strings.Replace(pair, "retry=600", "status=+I", 1), failing("b1", backend.Failure{Kind: backend.Refused, Err: syscall.ECONNREFUSED}))
	var got []int
	for range 4 {
		got = append(got, r.Get("GET / HTTP/1.1").Res.Status)
	}
	if fmt.Sprint(got) != "[503 200 503 200]" {
		t.Error(got)
	}
}

func TestJudgement(t *testing.T) {
	for _, c := range []struct {
		set     string
		failure backend.Kind
		status  int
		failed  bool
		log     string
	}{
		{"failonstatus=500,503", 0, 503, true, "AH01174: balancer://c: Forcing worker (http://b1:81) into error state due to status code 503 matching 'failonstatus' balancer parameter"},
		{"failonstatus=500", 0, 503, false, ""},
		{"failonstatus=502", backend.EarlyClose, 502, true, "AH01174: balancer://c: Forcing worker (http://b1:81) into error state due to status code 502 matching"},
		{"failontimeout=On", backend.ReadTimeout, 502, true, "AH02460: balancer://c: Forcing worker (http://b1:81) into error state due to timeout and 'failontimeout' parameter being set"},
		{"failontimeout=Off", backend.ReadTimeout, 502, false, ""},
		{"failontimeout=On", backend.EarlyClose, 502, false, ""},
	} {
		r := proxytest.New(t, pair+"ProxySet balancer://c "+c.set+"\n", func(*balancer.Worker, *exchange.Exchange, *backend.Call) error { return nil })
		r.To = func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
			if c.failure != 0 {
				return &backend.Failure{Kind: c.failure, Timeout: c.failure == backend.ReadTimeout}
			}
			x.Res.Status = c.status
			return nil
		}
		x := r.Get("GET / HTTP/1.1")
		m := r.Farm.Balancer(r.Site.Hosts[0].Server.ID, "c").Members()[0]
		if log := r.Log.Take(); x.Res.Status != c.status || m.Usable() == c.failed || !strings.Contains(log, c.log) {
			t.Errorf("%s: %d, %s, %s", c.set, x.Res.Status, m.Status(), log)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	r := proxytest.New(t, "ProxyPass /none balancer://none\n<Proxy balancer://c>\nBalancerMember http://b1 route=r1 status=+D\nProxySet stickysession=S nofailover=On\n</Proxy>\nProxyPass / balancer://c/\n", proxytest.OK)
	for _, c := range []struct{ request, log string }{
		{"GET /none HTTP/1.1", "[proxy_balancer:error client] AH01171: balancer://none: No workers in balancer"},
		{"GET / HTTP/1.1", "[proxy_balancer:error client] AH01170: balancer://c: All workers are in error state"},
		{"GET / HTTP/1.1\nCookie: S=x.r1", "[proxy_balancer:error client] AH01167: balancer://c: All workers are in error state for route (r1)"},
	} {
		x := r.Get(c.request)
		if log := r.Log.Take(); x.Res.Status != 503 || log != c.log || x.Env.Has("BALANCER_NAME") {
			t.Errorf("%s: %d %s", c.request, x.Res.Status, log)
		}
	}
}

// Members that were tried stay busy until the answer was sent and logged.
func TestBusyUntilTheEnd(t *testing.T) {
	r := proxytest.New(t, pair, failing("b1", backend.Failure{Kind: backend.Refused, Err: syscall.ECONNREFUSED}))
	x := r.Serve("GET / HTTP/1.1")
	members := r.Farm.Balancer(r.Site.Hosts[0].Server.ID, "c").Members()
	if a, b := members[0].Busy(), members[1].Busy(); a != 1 || b != 1 {
		t.Errorf("busy %d %d", a, b)
	}
	r.Finish(x)
	if a, b := members[0].Busy(), members[1].Busy(); a != 0 || b != 0 {
		t.Errorf("busy %d %d at the end", a, b)
	}
}

func TestPickIsTold(t *testing.T) {
	r := proxytest.New(t, "<Proxy balancer://C>\nBalancerMember http://b1/p route=r1\nBalancerMember http://b2\nProxySet stickysession=S|p\n</Proxy>\nProxyPass / balancer://c/\n", proxytest.OK)
	for _, c := range []struct{ request, want string }{
		{"GET / HTTP/1.1", "BALANCER_NAME=balancer://c BALANCER_WORKER_NAME=http://b1/p BALANCER_WORKER_ROUTE=r1 BALANCER_ROUTE_CHANGED=1"},
		{"GET / HTTP/1.1", "BALANCER_NAME=balancer://c BALANCER_WORKER_NAME=http://b2 BALANCER_WORKER_ROUTE= BALANCER_ROUTE_CHANGED=1"},
		{"GET / HTTP/1.1\nCookie: S=x.r1", "BALANCER_NAME=balancer://c BALANCER_WORKER_NAME=http://b1/p BALANCER_WORKER_ROUTE=r1 BALANCER_SESSION_STICKY=S BALANCER_SESSION_ROUTE=r1"},
		{"GET /a;p=x.r1 HTTP/1.1", "BALANCER_NAME=balancer://c BALANCER_WORKER_NAME=http://b1/p BALANCER_WORKER_ROUTE=r1 BALANCER_SESSION_STICKY=p BALANCER_SESSION_ROUTE=r1"},
		{"GET /a?b&p=x.r1 HTTP/1.1", "BALANCER_NAME=balancer://c BALANCER_WORKER_NAME=http://b1/p BALANCER_WORKER_ROUTE=r1 BALANCER_SESSION_STICKY=p BALANCER_SESSION_ROUTE=r1"},
	} {
		x := r.Get(c.request)
		var got []string
		for i := 0; i < x.Env.Len(); i++ {
			n, v := x.Env.At(i)
			got = append(got, n+"="+v)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s", c.request, got)
		}
	}
}

// What mod_proxy_http2 of httpd 2.4.71 says of members that can't be reached.
func TestUnreachableMembersOfHTTP2(t *testing.T) {
	for _, c := range []struct {
		failure backend.Failure
		log     string
	}{
		{backend.Failure{Kind: backend.NoName}, "[proxy:error client] AH00898: DNS lookup failure for: b1 returned by /x"},
		{backend.Failure{Kind: backend.Refused, Err: syscall.ECONNREFUSED}, "[proxy:error] AH00959: ap_proxy_connect_backend disabling worker for (b1:81) for 600s"},
	} {
		r := proxytest.New(t, "<Proxy balancer://c>\nBalancerMember h2c://b1:81 retry=600\nBalancerMember http://b2:82\n</Proxy>\nProxyPass / balancer://c/\n", failing("b1", c.failure))
		x := r.Get("GET /x HTTP/1.1")
		if log, page := r.Log.Take(), proxytest.Body(x); page != "b2" || log != c.log {
			t.Errorf("answered %d %s, the log has %s", x.Res.Status, page, log)
		}
		r = proxytest.New(t, "ProxyPass / h2://b1:81/\n", failing("b1", c.failure))
		if x := r.Get("GET /x HTTP/1.1"); x.Res.Status != 503 || x.Res.Reason == "Proxy Error" {
			t.Errorf("without a balancer: %d %s", x.Res.Status, x.Res.Reason)
		}
	}
}

func TestBlocked(t *testing.T) {
	r := proxytest.New(t, "ProxyBlock inner localh 127.0.0.1\nProxyPass /a http://localhost/\nProxyPass /n http://the.inner.invalid/\nProxyPass /b http://127.0.0.1:1/\nProxyPass /c balancer://c\nBalancerMember balancer://c http://127.0.0.1:1\nProxyPass / http://127.0.0.2/\n", proxytest.OK)
	for _, c := range []struct {
		path, log string
		status    int
	}{
		{"/a", "[proxy:warn client] AH00916: connect to remote machine localhost blocked: name localh matched\n[proxy:error client] AH00898: Connect to remote machine blocked returned by /a", 403},
		{"/b", "[proxy:warn client] AH00916: connect to remote machine 127.0.0.1 blocked: name 127.0.0.1 matched\n[proxy:error client] AH00898: Connect to remote machine blocked returned by /b", 403},
		{"/c", "[proxy:warn client] AH00916: connect to remote machine 127.0.0.1 blocked: name 127.0.0.1 matched\n[proxy:error client] AH00898: Connect to remote machine blocked returned by /c", 403},
		{"/n", "[proxy:error client] (EAI 2)Name or service not known: AH00898: DNS lookup failure for: the.inner.invalid returned by /n", 500},
		{"/d", "", 0},
	} {
		x := r.Get("GET " + c.path + " HTTP/1.1")
		if log := r.Log.Take(); x.Res.Status != c.status || log != c.log {
			t.Errorf("%s: %d %s", c.path, x.Res.Status, log)
		}
	}
}

func TestOverride(t *testing.T) {
	status, final := 0, false
	r := proxytest.New(t, "ProxyErrorOverride On\n<Location /off>\nProxyErrorOverride Off\n</Location>\n<Location /list>\nProxyErrorOverride On 418 503\n</Location>\nProxyPass / http://b1/\n",
		func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
			x.Res.Status, x.Res.Reason, x.Res.Final = status, "Oops", final
			x.Res.Header.Add("X-Lost", "1")
			x.Res.Header.Add("WWW-Authenticate", "Basic")
			x.Res.Text("own")
			return nil
		})
	for _, c := range []struct {
		path   string
		status int
		own    bool
	}{{"/", 399, true}, {"/", 400, false}, {"/", 401, false}, {"/", 404, false}, {"/", 599, false}, {"/off", 500, true}, {"/list", 404, true}, {"/list", 503, false}} {
		status = c.status
		x := r.Get("GET " + c.path + " HTTP/1.1")
		if own := proxytest.Body(x) == "own"; own != c.own || x.Res.Status != c.status || x.Res.Reason != "Oops" || x.Res.Header.Has("X-Lost") != c.own {
			t.Errorf("%s %d: own %v, %d %s", c.path, c.status, own, x.Res.Status, x.Res.Reason)
		}
		if c.status == 401 && x.Res.Always.Get("WWW-Authenticate") != "Basic" {
			t.Error("the challenge is lost")
		}
	}
	final = true
	if x := r.Get("GET / HTTP/1.1"); proxytest.Body(x) != "own" {
		t.Errorf("one that stands for a member's: %q", proxytest.Body(x))
	}
}

// The member's own status is noted for the log, whatever the client is told.
func TestStatusIsNoted(t *testing.T) {
	r := proxytest.New(t, "ProxyErrorOverride On\nErrorDocument 503 text\nProxyPass / http://b1/\n",
		func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
			x.Res.Status = len(x.Req.Path) * 100
			return nil
		})
	for path, want := range map[string]string{"/": "100", "/a": "200", "/abcd": "500", "/abcdefgh": "900"} {
		if got, _ := r.Get("GET " + path + " HTTP/1.1").Notes.Get("proxy-status"); got != want {
			t.Errorf("%s: %q, want %s", path, got, want)
		}
	}
}

// The page in place of an answer whose status came without a reason says so; one with a reason that no page can have has the
// standard title. ErrorDocument's text has neither (recorded from httpd).
func TestOverrideOfReasons(t *testing.T) {
	var res exchange.Response
	r := proxytest.New(t, "ProxyErrorOverride On\n<Location /text>\nErrorDocument 404 sorry\n</Location>\nProxyPass / http://b1/\n",
		func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
			x.Res.Status, x.Res.Reason, x.Res.Wordless = res.Status, res.Reason, res.Wordless
			x.Res.Header.Add("Location", "http://elsewhere/")
			x.Res.Text("own")
			return nil
		})
	for _, c := range []struct {
		path          string
		res           exchange.Response
		reason, title string
	}{
		{"/", exchange.Response{Status: 404, Reason: "Not Found", Wordless: true}, "Unknown Reason", "<title>404 Unknown Reason</title>"},
		{"/", exchange.Response{Status: 444, Wordless: true}, "Unknown Reason", "<title>444 Unknown Reason</title>"},
		{"/", exchange.Response{Status: 404, Reason: "Own"}, "Own", "<title>404 Own</title>"},
		{"/", exchange.Response{Status: 410, Reason: " two"}, " two", "<title>410 Gone</title>"},
		{"/text", exchange.Response{Status: 404, Wordless: true}, "", "sorry"},
	} {
		res = c.res
		x := r.Get("GET " + c.path + " HTTP/1.1")
		if body := proxytest.Body(x); x.Res.Status != c.res.Status || x.Res.Reason != c.reason || !strings.Contains(body, c.title) || x.Res.Header.Has("Location") {
			t.Errorf("%+v: %d %q %q, Location %q", c.res, x.Res.Status, x.Res.Reason, body, x.Res.Header.Get("Location"))
		}
	}
}

// Recorded from httpd: a status that is not known has the document of 500, and what we allow is in place of what the member
// allows.
func TestOverrideOfOddStatuses(t *testing.T) {
	status, always := 0, false
	r := proxytest.New(t, "ProxyErrorOverride On\nErrorDocument 500 sorry\nErrorDocument 404 none\nProxyPass / http://b1/\n",
		func(_ *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
			x.Res.Status, x.Res.Reason = status, "Own"
			h := &x.Res.Header
			if always {
				h = &x.Res.Always
			}
			h.Add("Allow", "GET")
			x.Res.Text("own")
			return nil
		})
	for _, c := range []struct {
		status      int
		body, allow string
	}{
		{418, "sorry", ""}, {430, "sorry", ""}, {599, "sorry", ""}, {404, "none", ""}, {405, "<title>405 Own</title>", "TRACE"}, {501, "<title>501 Own</title>", "TRACE"},
	} {
		for _, always = range []bool{false, true} {
			status = c.status
			x := r.Get("GET / HTTP/1.1")
			allow := x.Res.Header.Get("Allow") + x.Res.Always.Get("Allow")
			if always && c.allow == "" { // it stays beside a page as all that goes out always does
				allow = ""
			}
			if body := proxytest.Body(x); x.Res.Status != c.status || !strings.Contains(body, c.body) || allow != c.allow {
				t.Errorf("%d: %d %q %q", c.status, x.Res.Status, allow, body)
			}
			r.Finish(x)
		}
	}
}

// Recorded from httpd: what log and variables have of where a request goes, by protocol. A balancer's is that of the member that
// was tried last, whether or not it answered.
func TestMappedURLs(t *testing.T) {
	var fails error
	r := proxytest.New(t, `ProxyPass /a ajp://m/x
ProxyPass /an ajp://m/x nocanon
ProxyPass /f fcgi://m:1/x
ProxyPass /w uwsgi://m:2/x
ProxyPass /wn uwsgi://m:2/x nocanon
ProxyPass /h http://m/x
<Proxy balancer://c>
BalancerMember ajp://n/y
ProxySet nofailover=on
</Proxy>
ProxyPass /c balancer://c/x
ProxyPass /cn balancer://c/x nocanon
`, func(w *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
		x.Res.Status = 200
		x.Res.Text("own")
		return fails
	})
	for target, want := range map[string]string{
		"/a/p%20q?r=%41": "ajp://m/x/p%20q?r=%41", "/a/p?": "ajp://m/x/p?", "/a/p": "ajp://m/x/p", "/an/p%20q?r": "ajp://m/x/p%20q?r",
		"/f/p%20q?r": "fcgi://m:1/x/p%20q", "/w/p%20q?r": "uwsgi://m:2/x/p q", "/wn/p%20q?r=%41": "uwsgi://m:2/x/p q?r=A",
		"/h/p%20q?r": "http://m/x/p%20q?r", "/c/p%20q?r": "ajp://n/y/x/p%20q?r", "/cn/p%20q?r": "ajp://n/y/x/p%20q?r",
	} {
		for _, fails = range []error{nil, &backend.Failure{Kind: backend.Refused}} {
			x := proxytest.Request("GET " + target + " HTTP/1.1")
			r.Site.Serve(t.Context(), x)
			if got := x.Mapped(); got != "proxy:"+want {
				t.Errorf("%s (%v): %q, want %q", target, fails, got, want)
			}
			r.Finish(x)
		}
	}
}

// Recorded from httpd: a FastCGI member's line tells of a client that leaves or stalls; what is malformed is seen before.
func TestClientsOfFastCGI(t *testing.T) {
	var cause error
	r := proxytest.New(t, "ProxyPass / fcgi://m/\n", func(w *balancer.Worker, x *exchange.Exchange, _ *backend.Call) error {
		return &backend.Failure{Kind: backend.ClientBody, Err: cause, Host: "m"}
	})
	for _, c := range []struct {
		status int
		err    error
		line   string
	}{
		{408, os.ErrDeadlineExceeded, "[proxy_fcgi:error client] (70007)The timeout specified has expired: AH01075: Error dispatching request to :"},
		{400, io.ErrUnexpectedEOF, "(reading input brigade)"},
		{400, errors.New("no chunk"), "[proxy:error client] AH01095: prefetch request body failed"},
	} {
		cause = &exchange.BodyError{Status: exchange.Status(c.status), Err: c.err}
		x := r.Get("POST / HTTP/1.1\nContent-Length: 5")
		if log := r.Log.Take(); x.Res.Status != c.status || !strings.Contains(log, c.line) || strings.Count(log, "AH") != 1 {
			t.Errorf("%d, want %d and %q:\n%s", x.Res.Status, c.status, c.line, log)
		}
		r.Finish(x)
	}
}

// Recorded from httpd: what failonstatus= and failontimeout= see of a member that took too long, by protocol. uwsgi's timeout is
// seen here alone, where the status that it gets does not put the member into error.
func TestWhoseTimeoutsAreSeen(t *testing.T) {
	for _, c := range []struct {
		scheme, set string
		status      int
		failed      bool
	}{
		{"fcgi", "failonstatus=504", 504, true}, {"fcgi", "failonstatus=503 failontimeout=On", 504, false},
		{"scgi", "failonstatus=504", 504, true}, {"scgi", "failonstatus=503 failontimeout=On", 504, false},
		{"uwsgi", "failonstatus=500", 500, true}, {"uwsgi", "failontimeout=On", 500, true}, {"http", "failontimeout=On", 502, true},
	} {
		r := proxytest.New(t, "<Proxy balancer://c>\nBalancerMember "+c.scheme+"://b1:81\nProxySet "+c.set+"\n</Proxy>\nProxyPass / balancer://c/\n",
			func(*balancer.Worker, *exchange.Exchange, *backend.Call) error {
				return &backend.Failure{Kind: backend.ReadTimeout, Err: os.ErrDeadlineExceeded, Timeout: true}
			})
		x := r.Get("GET / HTTP/1.1")
		m := r.Farm.Balancer(r.Site.Hosts[0].Server.ID, "c").Members()[0]
		if x.Res.Status != c.status || m.Usable() == c.failed {
			t.Errorf("%s %s: %d, %s, %s", c.scheme, c.set, x.Res.Status, m.Status(), r.Log.Take())
		}
	}
}

// Recorded from httpd: with ping= a member that is too slow is not blamed, but one that stops within a packet is.
func TestPingedMembersThatStop(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{{os.ErrDeadlineExceeded, 504}, {exchange.ModuleError(120008), 503}} {
		r := proxytest.New(t, "ProxyPass / ajp://b1:81/ ping=1\n", func(*balancer.Worker, *exchange.Exchange, *backend.Call) error {
			return &backend.Failure{Kind: backend.ReadTimeout, Err: c.err, Timeout: true}
		})
		if x := r.Get("GET / HTTP/1.1"); x.Res.Status != c.status {
			t.Errorf("%v: %d, want %d", c.err, x.Res.Status, c.status)
		}
	}
}
