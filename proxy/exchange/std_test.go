package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// TestFromHTTPReader: a body that the handler leaves to be read is read while the answer is sent, behind what it wrote;
// the length of a short one is told.
func TestFromHTTPReader(t *testing.T) {
	for _, n := range []int{0, 1, 7991, 7992, 100_000} {
		taken := 0
		text := strings.Repeat("x", n)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "t/t")
			io.WriteString(w, "written,")
			w.(interface{ SetBody(io.Reader) }).SetBody(io.TeeReader(strings.NewReader(text), counter{&taken}))
			w.Header().Set("X-A", "late")
		})
		x := request("GET", "/", "", "")
		if err := exchange.FromHTTP(h).Serve(context.Background(), x); err != nil {
			t.Fatal(err)
		}
		length := int64(n + 8)
		if n > 8000 {
			length = -1
		}
		if taken > 8001 || x.Res.Length != length || x.Res.Status != 200 || fmt.Sprint(fields(&x.Res.Header)) != "[Content-Type=t/t]" {
			t.Errorf("%d: %d were taken, length %d, %v", n, taken, x.Res.Length, fields(&x.Res.Header))
		}
		if b := x.Res.Body.Buffered(); n > 8000 && len(b) < 8000 {
			t.Error(len(b), "are there without waiting")
		}
		x.Res.Body.Discard(3)
		if got := asFront(x.Res.Body); got != "tten,"+text {
			t.Errorf("%d: %d bytes", n, len(got))
		}
		if err := x.Res.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

// asFront is a body as a front takes it: what is there without waiting, what can be gathered, and else what Read brings.
func asFront(b exchange.Source) string {
	var all strings.Builder
	gatherer, can := b.(exchange.Gatherer)
	for p := make([]byte, 512); ; {
		if there := b.Buffered(); len(there) > 0 {
			all.Write(there)
			b.Discard(len(there))
		}
		if can {
			if gatherer.Gather() == io.EOF {
				return all.String()
			}
			continue
		}
		n, err := b.Read(p)
		all.Write(p[:n])
		if err != nil {
			return all.String()
		}
	}
}

type counter struct{ n *int }

func (c counter) Write(p []byte) (int, error) {
	*c.n += len(p)
	return len(p), nil
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
func (f *front) Continue(string, *exchange.Header) error { return nil }

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
