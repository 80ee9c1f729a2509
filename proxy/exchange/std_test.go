package exchange_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"balancerd/proxy/exchange"
)

// body is a request's body in memory that may end with an error.
type body struct {
	r   io.Reader
	end error
	n   int64
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.n += int64(n)
	if err == io.EOF && b.end != nil {
		err = b.end
	}
	return n, err
}
func (b *body) Buffered() []byte { return nil }
func (b *body) Discard(int)      {}
func (b *body) Taken() int64     { return b.n }

func request(method, path, query, text string) *exchange.Exchange {
	x := &exchange.Exchange{ClientIP: "192.0.2.7", Conn: &exchange.Conn{Remote: netip.MustParseAddrPort("127.0.0.1:4711"), RemoteIP: "127.0.0.1"}}
	x.Req.Method, x.Req.Path, x.Req.Query, x.Req.HasQuery = method, path, query, query != ""
	x.Req.Major, x.Req.Minor, x.Req.Authority, x.Req.Target = 1, 1, "lb.test:8080", path
	x.Req.Header.Add("Host", "lb.test:8080")
	x.Req.Header.Add("X-One", "1")
	x.Req.Length, x.Req.Body = int64(len(text)), &body{r: strings.NewReader(text)}
	return x
}

func content(t *testing.T, x *exchange.Exchange) string {
	t.Helper()
	if x.Res.Body == nil {
		return ""
	}
	b, err := io.ReadAll(x.Res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// key is of a context's value.
type key struct{}

func TestFromHTTPRequest(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintln(w, r.Method, r.URL.Path, r.URL.RawQuery, r.URL.EscapedPath(), r.Host, r.RemoteAddr, r.Header, r.ContentLength, r.Proto, string(b), r.Context().Value(key{}))
	})
	x := request("POST", "/a b/%c", "q=%31", "hello")
	if err := exchange.FromHTTP(h).Serve(context.WithValue(context.Background(), key{}, "v"), x); err != nil {
		t.Fatal(err)
	}
	want := "POST /a b/%c q=%31 /a%20b/%25c lb.test:8080 192.0.2.7:4711 map[X-One:[1]] 5 HTTP/1.1 hello v\n"
	if got := content(t, x); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if x.Res.Status != 200 || !x.Res.Local || x.Res.Length != int64(len(want)) || x.Res.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("answer %+v", x.Res)
	}
}

func TestFromHTTPAnswers(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler func(http.ResponseWriter, *http.Request)
		status  int
		err     error
		header  string // fields of Header, then of Always
		body    string
	}{
		{"nothing said", func(http.ResponseWriter, *http.Request) {}, 200, nil, "[] []", ""},
		{"fields in order", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["X-B"] = []string{"1", "2"}
			w.Header().Set("X-A", "3")
			w.Header().Set("Content-Length", "2")
			w.Header().Set("Content-Type", "t/t")
			io.WriteString(w, "ok")
		}, 200, nil, "[Content-Type=t/t X-A=3 X-B=1 X-B=2] []", "ok"},
		{"late fields do not count", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(201)
			w.WriteHeader(500)
			w.Header().Set("X-A", "late")
		}, 201, nil, "[] []", ""},
		{"no body with 304", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(304)
			if _, err := io.WriteString(w, "x"); err != http.ErrBodyNotAllowed {
				panic(err)
			}
		}, 304, nil, "[] []", ""},
		{"an error with a page of its own", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "t/t")
			w.WriteHeader(403)
			io.WriteString(w, "no")
		}, 403, nil, "[Content-Type=t/t] []", "no"},
		{"an error without", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", "GET")
			w.Header().Set("Content-Type", "t/t")
			w.WriteHeader(405)
		}, 0, exchange.Status(405), "[] [Allow=GET]", ""},
	} {
		x := request("GET", "/", "", "")
		err := exchange.FromHTTP(http.HandlerFunc(c.handler)).Serve(context.Background(), x)
		header := fmt.Sprint(fields(&x.Res.Header), " ", fields(&x.Res.Always))
		if err != c.err || x.Res.Status != c.status || header != c.header || content(t, x) != c.body {
			t.Errorf("%s: %v, %d, %s", c.name, err, x.Res.Status, header)
		}
	}
}

func fields(h *exchange.Header) []string {
	out := []string{}
	for _, f := range h.F {
		out = append(out, f.Name+"="+f.Value)
	}
	return out
}

func TestFromHTTPBody(t *testing.T) {
	read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		var big *http.MaxBytesError
		switch {
		case errors.As(err, &big):
			fmt.Fprint(w, "too large after ", n)
		case err != nil:
			w.WriteHeader(400)
		}
	})
	x := request("POST", "/", "", strings.Repeat("x", exchange.StdBody+1))
	x.Req.Length = -1
	if err := exchange.FromHTTP(read).Serve(context.Background(), x); err != nil || content(t, x) != fmt.Sprint("too large after ", exchange.StdBody) {
		t.Errorf("a long body: %v", err)
	}
	x = request("POST", "/", "", "half")
	x.Req.Body = &body{r: strings.NewReader("half"), end: &exchange.BodyError{Status: 408, Err: io.ErrUnexpectedEOF}}
	if err := exchange.FromHTTP(read).Serve(context.Background(), x); err != exchange.Status(408) {
		t.Errorf("a late body: %v, want 408", err)
	}
}

type front struct{ said []string }

func (f *front) Interim(status int, reason string, h *exchange.Header) error {
	f.said = append(f.said, fmt.Sprint(status, " ", reason, " ", fields(h)))
	return nil
}
func (f *front) Continue() error { return nil }

func TestFromHTTPInterim(t *testing.T) {
	x, f := request("GET", "/", "", ""), &front{}
	x.Front = f
	exchange.FromHTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</s>")
		w.WriteHeader(103)
		w.WriteHeader(204)
	})).Serve(context.Background(), x)
	if got := strings.Join(f.said, "|"); got != "103 Early Hints [Link=</s>]" || x.Res.Status != 204 {
		t.Errorf("said %q, then %d", got, x.Res.Status)
	}
}

// serveStd runs net/http in front of serve.
func serveStd(t *testing.T, serve func(context.Context, *exchange.Exchange), after ...func(context.Context, *exchange.Exchange)) *httptest.Server {
	s := httptest.NewUnstartedServer(exchange.ToHTTP(serve, after...))
	s.Config.DisableGeneralOptionsHandler = true
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// talk sends raw bytes and returns all that comes back.
func talk(t *testing.T, s *httptest.Server, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, raw)
	b, _ := io.ReadAll(c)
	return string(b)
}

func TestToHTTPRequest(t *testing.T) {
	var got string
	s := serveStd(t, func(_ context.Context, x *exchange.Exchange) {
		q := &x.Req
		b, err := io.ReadAll(q.Body)
		got = fmt.Sprint(q.Line, "|", q.Method, "|", q.RawPath, "|", q.Query, q.HasQuery, "|", q.Authority, "|", q.Host, q.Port, "|", fields(&q.Header), "|",
			q.Length, string(b), err, q.Body.Taken(), "|", fields(&q.Trailer), "|", q.Scheme, x.ClientIP, x.Conn.Local.Port() != 0, q.Expect100, q.Upgrade)
		x.Res.Status = 204
	})
	for _, c := range []struct{ raw, want string }{
		{"GET /a%2Fb?x=1 HTTP/1.1\r\nHost: LB.Test.:81\r\nX-A: 1\r\nX-A: 2\r\nCookie: a=1\r\nCookie: b=2\r\nConnection: close\r\n\r\n",
			"GET /a%2Fb?x=1 HTTP/1.1|GET|/a%2Fb|x=1true|LB.Test.:81|lb.test81|[Host=LB.Test.:81 Connection=close Cookie=a=1; b=2 X-A=1, 2]|0<nil> 0|[]|http127.0.0.1true false false"},
		{"POST http://h/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nhi\r\n0\r\nX-T: end\r\n\r\n",
			"POST http://h/ HTTP/1.1|POST|/|false|h|h0|[Host=h Connection=close]|-1hi<nil> 2|[X-T=end]|http127.0.0.1true false false"},
		{"GET /? HTTP/1.0\r\nUpgrade: x\r\nConnection: upgrade, close\r\n\r\n",
			"GET /? HTTP/1.0|GET|/|true||0|[Connection=upgrade, close Upgrade=x]|0<nil> 0|[]|http127.0.0.1true false true"},
		{"OPTIONS * HTTP/1.1\r\nHost: [::1]:8\r\nConnection: close\r\n\r\n",
			"OPTIONS * HTTP/1.1|OPTIONS|*|false|[::1]:8|[::1]8|[Host=[::1]:8 Connection=close]|0<nil> 0|[]|http127.0.0.1true false false"},
	} {
		got = ""
		if talk(t, s, c.raw); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// source is a body that gives pieces, waits between them, and may break off.
type source struct {
	pieces []string
	end    error
	closed *int
}

func (s *source) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, s.end
	}
	n := copy(p, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}
func (s *source) Buffered() []byte { return nil }
func (s *source) Discard(int)      {}
func (s *source) Close() error     { *s.closed++; return nil }

func TestToHTTPAnswers(t *testing.T) {
	closed, finished := 0, 0
	for _, c := range []struct {
		name  string
		serve func(*exchange.Exchange)
		want  string // after the head's own Date
	}{
		{"text", func(x *exchange.Exchange) {
			x.Res.Status = 200
			x.Res.Header.Add("x-low", "1")
			x.Res.Header.Add("Connection", "keep-alive")
			x.Res.Always.Add("X-Always", "2")
			x.Res.Text("hello")
		}, "HTTP/1.1 200 OK\nX-Always: 2\nX-Low: 1\nContent-Length: 5\n\nhello"},
		{"unknown length, trailer", func(x *exchange.Exchange) {
			x.Res.Status, x.Res.Length = 200, -1
			x.Res.Body = &source{[]string{"one", "two"}, io.EOF, &closed}
			x.Res.Trailer.Add("X-T", "end")
		}, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\none\n3\ntwo\n0\nX-T: end\n\n"},
		{"broken off", func(x *exchange.Exchange) {
			x.Res.Status, x.Res.Length = 200, -1
			x.Res.Body = &source{[]string{"one"}, io.ErrUnexpectedEOF, &closed}
		}, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\none\n"},
		{"too short", func(x *exchange.Exchange) {
			x.Res.Status, x.Res.Length = 200, 9
			x.Res.Body = &source{[]string{"one"}, io.EOF, &closed}
		}, "HTTP/1.1 200 OK\nContent-Length: 9\n\none"},
		{"no status", func(x *exchange.Exchange) {}, "HTTP/1.1 500 Internal Server Error\nContent-Length: 0\n\n"},
		{"304", func(x *exchange.Exchange) { x.Res.Status, x.Res.Length = 304, 0 }, "HTTP/1.1 304 Not Modified\n\n"},
		{"own name", func(x *exchange.Exchange) {
			x.Server = &exchange.Server{Token: "Apache/2.4.71"}
			x.Res.Status = 200
		}, "HTTP/1.1 200 OK\nServer: Apache/2.4.71\nContent-Length: 0\n\n"},
		{"a member's name", func(x *exchange.Exchange) {
			x.Server = &exchange.Server{Token: "Apache/2.4.71"}
			x.Res.Header.Add("server", "nginx")
			x.Res.Status = 200
		}, "HTTP/1.1 200 OK\nServer: nginx\nContent-Length: 0\n\n"},
		{"close", func(x *exchange.Exchange) { x.Res.Status, x.Res.Close = 400, true }, "HTTP/1.1 400 Bad Request\nConnection: close\nContent-Length: 0\n\n"},
	} {
		logged := 0
		s := serveStd(t, func(_ context.Context, x *exchange.Exchange) {
			x.OnFinish(finisher{&finished})
			c.serve(x)
		}, func(_ context.Context, x *exchange.Exchange) { logged++ })
		before := finished
		got := talk(t, s, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		s.Close()
		lines := strings.Split(strings.ReplaceAll(got, "\r\n", "\n"), "\n")
		kept := lines[:0]
		for _, l := range lines {
			if !strings.HasPrefix(l, "Date: ") && (l != "Connection: close" || c.name == "close") {
				kept = append(kept, l)
			}
		}
		if text := strings.Join(kept, "\n"); !sameHead(text, c.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, text, c.want)
		}
		if logged != 1 || finished != before+1 {
			t.Errorf("%s: logged %d times, finished %d times", c.name, logged, finished-before)
		}
	}
	if closed != 3 {
		t.Errorf("%d of 3 bodies closed", closed)
	}
}

// sameHead compares answers without regard to the order of net/http's fields.
func sameHead(a, b string) bool {
	ha, ba, _ := strings.Cut(a, "\n\n")
	hb, bb, _ := strings.Cut(b, "\n\n")
	la, lb := strings.Split(ha, "\n"), strings.Split(hb, "\n")
	if ba != bb || len(la) != len(lb) || la[0] != lb[0] {
		return false
	}
	for _, l := range la {
		if !strings.Contains("\n"+hb+"\n", "\n"+l+"\n") {
			return false
		}
	}
	return true
}

type finisher struct{ n *int }

func (f finisher) Finish(*exchange.Exchange) { *f.n++ }

func TestToHTTPHead(t *testing.T) {
	s := serveStd(t, func(_ context.Context, x *exchange.Exchange) { x.Res.Status = 200; x.Res.Text("hello") })
	r, err := http.Head(s.URL)
	if err != nil || r.ContentLength != 5 || r.Header.Get("Content-Type") != "" {
		t.Errorf("%v %v", r, err)
	}
}

func TestToHTTPInterim(t *testing.T) {
	s := serveStd(t, func(_ context.Context, x *exchange.Exchange) {
		var h exchange.Header
		h.Add("Link", "</s>")
		x.Front.Interim(103, "", &h)
		x.Res.Status = 200
		x.Res.Text("ok")
	})
	got := talk(t, s, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	first, rest, _ := strings.Cut(got, "\r\n\r\n")
	if first != "HTTP/1.1 103 Early Hints\r\nLink: </s>" || strings.Contains(rest, "Link") {
		t.Errorf("got %s", got)
	}
	if got := talk(t, s, "GET / HTTP/1.0\r\n\r\n"); strings.Contains(got, "103") {
		t.Errorf("HTTP/1.0 got an interim answer: %s", got)
	}
}

// echo is a tunnel that sends back what it gets, in capitals.
type echo struct{ done chan bool }

func (e echo) Join(c exchange.Stream) {
	defer close(e.done)
	defer c.Close()
	line, _ := bufio.NewReader(c).ReadBytes('\n')
	c.Write(bytes.ToUpper(line))
	c.CloseWrite()
}
func (e echo) Close() error { return nil }

func TestToHTTPTunnel(t *testing.T) {
	done := make(chan bool)
	s := serveStd(t, func(_ context.Context, x *exchange.Exchange) {
		x.Res.Status, x.Res.Tunnel = 101, echo{done}
		x.Res.Header.Add("Upgrade", "echo")
	})
	got := talk(t, s, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello\n")
	<-done
	if want := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\nHELLO\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestToHTTPPanic: the finishers run, and the exchange is not used again.
func TestToHTTPPanic(t *testing.T) {
	finished := 0
	h := exchange.ToHTTP(func(_ context.Context, x *exchange.Exchange) {
		x.OnFinish(finisher{&finished})
		panic("oops")
	})
	defer func() {
		if p := recover(); p != "oops" || finished != 1 {
			t.Errorf("recovered %v, finished %d", p, finished)
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

func TestToHTTPConn(t *testing.T) {
	c := &exchange.Conn{RemoteIP: "192.0.2.9"}
	h := exchange.ToHTTP(func(_ context.Context, x *exchange.Exchange) {
		if x.Conn != c || x.ClientIP != "192.0.2.9" {
			t.Errorf("connection %v", x.Conn)
		}
		x.Res.Status = 204
	})
	r := httptest.NewRequest("GET", "/", nil)
	h.ServeHTTP(httptest.NewRecorder(), r.WithContext(exchange.WithConn(r.Context(), c)))
}

// TestBothWays: a net/http handler behind a net/http front is what it was.
func TestBothWays(t *testing.T) {
	inner := exchange.FromHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Len", fmt.Sprint(len(b)))
		fmt.Fprint(w, r.Method, " ", r.Host != "", " ", r.URL.RawQuery)
	}))
	s := serveStd(t, func(ctx context.Context, x *exchange.Exchange) {
		x.Req.Path = x.Req.RawPath
		if err := inner.Serve(ctx, x); err != nil {
			t.Error(err)
		}
	})
	for range 3 { // the same exchange, used again
		r, err := http.Post(s.URL+"/?a=b", "text/plain", strings.NewReader(strings.Repeat("y", 70000)))
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if string(b) != "POST true a=b" || r.Header.Get("X-Len") != "70000" {
			t.Errorf("%s %v", b, r.Header)
		}
	}
}
