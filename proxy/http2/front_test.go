package http2

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
)

// echo answers with what the request is.
func echo(_ context.Context, x *exchange.Exchange) {
	var b strings.Builder
	q := &x.Req
	fmt.Fprintf(&b, "%s|%s|%s|%s|%s|%s|%d\n", q.Line, q.Method, q.RawPath, q.Query, q.Host, q.ProtoText(), q.Stream)
	for i := range q.Header.F {
		fmt.Fprintf(&b, "%s: %s\n", q.Header.F[i].Name, q.Header.F[i].Value)
	}
	body, err := io.ReadAll(readAll{q.Body})
	fmt.Fprintf(&b, "%d %s %v\n", q.Length, body, err)
	x.Res.Status, x.Res.Local = 200, true
	x.Res.Header.Add("Content-Type", "text/plain")
	x.Res.Text(b.String())
}

type readAll struct{ b exchange.Body }

func (r readAll) Read(p []byte) (int, error) { return r.b.Read(p) }

func TestRequestIsReadAsHTTP1Has(t *testing.T) {
	f := newFront(t, &app{serve: echo})
	c := f.dial(t)
	c.ask(1, false, ":method", "POST", ":scheme", "http", ":authority", "User.Example:81", ":path", "/a?b=c", "x-b", "2", "x-a", "1", "cookie", "a=1", "cookie", "b=2", "content-length", "3")
	c.fr.WriteData(1, true, []byte("abc"))
	want := "POST /a?b=c HTTP/2.0|POST|/a|b=c|user.example|HTTP/2.0|1\nHost: User.Example:81\nX-B: 2\nX-A: 1\nCookie: a=1; b=2\nContent-Length: 3\n3 abc <nil>\n"
	if what, data := c.outcome(1); what != "200" || data != want {
		t.Errorf("%s\n%q\n%q", what, data, want)
	}
}

// THE table of what may not pass: each is refused, and the application does not see it.
func TestRefused(t *testing.T) {
	long := strings.Repeat("a", 9000)
	var many []string
	for i := range 101 {
		many = append(many, fmt.Sprint("x-", i), "1")
	}
	for _, c := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"a space in the path", []string{":path", "/a b"}, "400"},
		{"a line end in the path", []string{":path", "/a\r\nX: y"}, "400|RST PROTOCOL_ERROR"},
		{"an absolute path", []string{":path", "http://evil/x"}, "400|RST PROTOCOL_ERROR"},
		{"a relative path", []string{":path", "x"}, "400|RST PROTOCOL_ERROR"},
		{"no path", []string{":path", ""}, "RST PROTOCOL_ERROR"},
		{"a space in the method", []string{":method", "GET /x HTTP/1.1", ":path", "/"}, "400|RST PROTOCOL_ERROR"},
		{"a strange scheme", []string{":scheme", "http\r\nX: y", ":path", "/"}, "RST PROTOCOL_ERROR"},
		{"a space in the authority", []string{":authority", "a b", ":path", "/"}, "400|RST PROTOCOL_ERROR"},
		{"a slash in the authority", []string{":authority", "a/b", ":path", "/"}, "400|RST PROTOCOL_ERROR"},
		{"a line end in a value", []string{":path", "/", "x", "a\r\nb: c"}, "RST PROTOCOL_ERROR"},
		{"a NUL in a value", []string{":path", "/", "x", "a\x00"}, "RST PROTOCOL_ERROR"},
		{"a colon in a name", []string{":path", "/", "x:y", "a"}, "RST PROTOCOL_ERROR"},
		{"capitals", []string{":path", "/", "X-A", "a"}, "RST PROTOCOL_ERROR"},
		{"Transfer-Encoding", []string{":path", "/", "transfer-encoding", "chunked"}, "RST PROTOCOL_ERROR"},
		{"Connection", []string{":path", "/", "connection", "close"}, "RST PROTOCOL_ERROR"},
		{"Upgrade", []string{":path", "/", "upgrade", "websocket"}, "RST PROTOCOL_ERROR"},
		{"two lengths", []string{":path", "/", "content-length", "1", "content-length", "2"}, "400"},
		{"a length without a body", []string{":path", "/", "content-length", "1"}, "400"},
		{"an invalid length", []string{":path", "/", "content-length", "+1"}, "400"},
		{"an unknown expectation", []string{":path", "/", "expect", "x"}, "417"},
		{"a long path", []string{":path", "/" + long}, "414"},
		{"a long field", []string{":path", "/", "x", long}, "431"},
		{"a long cookie in crumbs", []string{":path", "/", "cookie", long[:5000], "cookie", long[:5000]}, "431"},
		{"many fields", append([]string{":path", "/"}, many...), "431"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := &app{serve: echo}
			f := newFront(t, a)
			k := f.dial(t)
			fields := c.fields
			for _, p := range [][2]string{{":authority", "h"}, {":scheme", "http"}, {":method", "GET"}} {
				if !has(fields, p[0]) {
					fields = append([]string{p[0], p[1]}, fields...)
				}
			}
			k.ask(1, true, fields...)
			what, _ := k.outcome(1)
			if !strings.Contains("|"+c.want+"|", "|"+what+"|") {
				t.Errorf("%q, want %q", what, c.want)
			}
			if a.began != 0 {
				t.Error("it was served")
			}
		})
	}
}

func has(fields []string, name string) bool {
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == name {
			return true
		}
	}
	return false
}

func TestLengthMustHold(t *testing.T) {
	f := newFront(t, &app{serve: echo})
	c := f.dial(t)
	for i, body := range []string{"ab", "abcd"} {
		id := uint32(2*i + 1)
		c.ask(id, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/", "content-length", "3")
		c.fr.WriteData(id, true, []byte(body))
		if what, data := c.outcome(id); !strings.HasPrefix(what, "RST") && !strings.Contains(data, "400") && !strings.Contains(data, "request body") {
			t.Errorf("%q: %s %q", body, what, data)
		}
	}
}

// An answer that breaks off must not look whole.
func TestBrokenAnswer(t *testing.T) {
	f := newFront(t, &app{serve: func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Length = 200, -1
		x.Res.Body = &breaking{text: "abc"}
	}})
	c := f.dial(t)
	c.get(1, "/")
	if what, data := c.outcome(1); what != "200 RST INTERNAL_ERROR" || data != "abc" {
		t.Error(what, data)
	}
}

type breaking struct{ text string }

func (b *breaking) Read(p []byte) (int, error) {
	if b.text == "" {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}
func (b *breaking) Buffered() []byte { return nil }
func (b *breaking) Discard(int)      {}
func (b *breaking) Close() error     { return nil }

func TestPanicIsAnAnswer(t *testing.T) {
	a := &app{}
	a.serve = func(_ context.Context, x *exchange.Exchange) {
		if x.Req.RawPath == "/panic" {
			panic("oh")
		}
		echo(context.Background(), x)
	}
	f := newFront(t, a)
	c := f.dial(t)
	c.get(1, "/panic")
	if what, _ := c.outcome(1); what != "500" {
		t.Error(what)
	}
	c.get(3, "/")
	if what, _ := c.outcome(3); what != "200" {
		t.Error(what)
	}
}

// A client that goes away takes its exchange along.
func TestResetReachesTheExchange(t *testing.T) {
	gone := make(chan error, 1)
	started := make(chan bool, 1)
	f := newFront(t, &app{serve: func(ctx context.Context, x *exchange.Exchange) {
		started <- true
		x.Block()
		select {
		case <-ctx.Done():
			gone <- ctx.Err()
		case <-time.After(5 * time.Second):
			gone <- nil
		}
		x.Res.Status, x.Res.Local = 200, true
	}})
	c := f.dial(t)
	c.get(1, "/")
	<-started
	c.fr.WriteRSTStream(1, http2.ErrCodeCancel)
	if err := <-gone; err == nil {
		t.Error("the exchange went on")
	}
}

// One stream after the other that is broken off ends the connection.
func TestRapidReset(t *testing.T) {
	a := &app{serve: func(ctx context.Context, x *exchange.Exchange) {
		x.Block()
		<-ctx.Done()
		x.Res.Status, x.Res.Local = 200, true
	}}
	f := newFront(t, a)
	c := f.dial(t)
	go func() {
		for id := uint32(1); id < 20000; id += 2 {
			c.get(id, "/")
			if c.fr.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
				return
			}
		}
	}()
	for {
		if _, err := c.fr.ReadFrame(); err != nil {
			break
		}
	}
	f.wait(t)
	if a.began > 3000 {
		t.Error(a.began, "exchanges")
	}
}

func TestRenewSaysGoAway(t *testing.T) {
	begun, hold := make(chan bool), make(chan bool)
	f := newFront(t, &app{serve: func(ctx context.Context, x *exchange.Exchange) {
		x.Block()
		close(begun)
		<-hold
		echo(ctx, x)
	}})
	c := f.dial(t)
	c.get(1, "/")
	<-begun
	f.s.Renew()
	close(hold)
	said, status := false, ""
	for {
		fr, err := c.fr.ReadFrame()
		if err != nil {
			break
		}
		switch fr := fr.(type) {
		case *http2.GoAwayFrame:
			said = said || fr.ErrCode == http2.ErrCodeNo
		case *http2.MetaHeadersFrame:
			status = fr.PseudoValue("status")
		}
	}
	if !said || status != "200" {
		t.Error(said, status)
	}
	f.wait(t)
}

// A client whose windows stay shut loses its streams.
func TestZeroWindow(t *testing.T) {
	srv := &exchange.Server{HTTP2: exchange.HTTP2{Timeout: 300 * time.Millisecond}}
	f := newFront(t, &app{srv: srv, serve: func(_ context.Context, x *exchange.Exchange) {
		x.Server = srv
		x.Res.Status, x.Res.Local = 200, true
		x.Res.Text(strings.Repeat("x", 100000))
	}})
	c := f.dial(t, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	began := time.Now()
	c.get(1, "/")
	if what, _ := c.outcome(1); !strings.Contains(what, "RST") || time.Since(began) > 3*time.Second {
		t.Error(what, time.Since(began))
	}
}

func TestAnswers(t *testing.T) {
	f := newFront(t, &app{srv: &exchange.Server{Token: "S", HTTP2: exchange.HTTP2{EarlyHints: true}}, serve: func(_ context.Context, x *exchange.Exchange) {
		x.Server = &exchange.Server{Token: "S", Timeout: time.Second}
		x.Res.Local = true
		x.Res.Status = 200
		x.Res.Header.Add("Connection", "x")
		x.Res.Header.Add("Keep-Alive", "x")
		x.Res.Header.Add("Transfer-Encoding", "chunked")
		x.Res.Always.Add("Set-Cookie", "a=1")
		x.Res.Header.Add("Set-Cookie", "b=2")
		switch x.Req.RawPath {
		case "/204":
			x.Res.Status = 204
		case "/hints":
			x.Front.Interim(103, "", &exchange.Header{F: []exchange.Field{{Name: "Link", Value: "</a>"}}})
			x.Res.Text("ok")
		case "/bad":
			x.Res.Header.Add("X", "a\r\nb")
			x.Res.Text("ok")
		case "/trailer":
			x.Res.Text("ok")
			x.Res.Length = -1
			x.Res.Trailer.Add("X-T", "1")
		case "/empty":
			x.Res.Length = 0
		default:
			x.Res.Text("okay")
		}
	}})
	cl := browser(t)
	for _, c := range []struct {
		method, path string
		status       int
		length       int64
		body         string
	}{
		{"GET", "/", 200, 4, "okay"}, {"HEAD", "/", 200, 4, ""}, {"GET", "/204", 204, 0, ""}, {"GET", "/empty", 200, 0, ""},
		{"GET", "/bad", 500, 8, "refused\n"}, {"GET", "/hints", 200, 2, "ok"}, {"GET", "/trailer", 200, -1, "ok"},
	} {
		r, _ := http.NewRequest(c.method, "http://"+f.addr+c.path, nil)
		res, err := cl.Do(r)
		if err != nil {
			t.Fatal(c.path, err)
		}
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != c.status || res.ContentLength != c.length || string(body) != c.body || res.Header.Get("Server") != "S" {
			t.Error(c.method, c.path, res.StatusCode, res.ContentLength, string(body), res.Header)
		}
		if c.status == 200 && strings.Join(res.Header["Set-Cookie"], " ") != "a=1 b=2" {
			t.Error(c.path, res.Header)
		}
		if c.path == "/trailer" && res.Trailer.Get("X-T") != "1" {
			t.Error("no trailer", res.Trailer)
		}
	}
	c := f.dial(t)
	c.get(1, "/hints")
	if what, _ := c.outcome(1); what != "103 200" {
		t.Error(what)
	}
}

func TestDataFrameLength(t *testing.T) {
	f := newFront(t, &app{srv: &exchange.Server{HTTP2: exchange.HTTP2{FrameLen: 1000}}, serve: func(_ context.Context, x *exchange.Exchange) {
		x.Server = &exchange.Server{}
		x.Res.Status, x.Res.Local = 200, true
		x.Res.Text(strings.Repeat("x", 2500))
	}})
	c := f.dial(t)
	c.get(1, "/")
	for n := 0; n < 2500; {
		fr, err := c.fr.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := fr.(*http2.DataFrame); ok {
			if n += len(d.Data()); len(d.Data()) > 1000 {
				t.Error(len(d.Data()))
			}
		}
	}
}
