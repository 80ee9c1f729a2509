// Package membertest attacks the codecs of members' protocols: an exchange is carried to a scripted member over a real
// socket, and what came of it is told.
//
//	Serve(script) --> worker --Ask(backend, request)--> Outcome
//	Cut, Split: what a member says, ended or delayed at each byte
//	Slow: a member that stops, and does not end
//	Rude: one that ends, resets, or goes on, where it should not
package membertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

// Outcome is what came of a request.
type Outcome struct {
	Status int          // 0: none; of a failure that the codec tells as a status, that one
	Kind   backend.Kind // of a failure; 0: none
	Reason string
	Fields string // "Name: value\n" of Always, then of Header
	Length int64
	Body   string
	Broken bool   // the body ended with an error
	Log    string // lines of the error log
	Kept   bool   // the connection is kept
}

// String says all but the log.
func (o Outcome) String() string {
	return fmt.Sprintf("status %d kind %d %q %.300q length %d body %.80q (%d) broken %v kept %v", o.Status, o.Kind, o.Reason, o.Fields, o.Length, o.Body, len(o.Body), o.Broken, o.Kept)
}

// Request is an exchange before it is carried to a member. A body of length -1 is chunked; "" with 0 is none.
func Request(method, target, body string, length int64) *exchange.Exchange {
	x := &exchange.Exchange{Start: time.Now(), ClientIP: "192.0.2.1", Conn: &exchange.Conn{
		Remote: netip.MustParseAddrPort("192.0.2.1:5000"), Local: netip.MustParseAddrPort("192.0.2.2:80"), RemoteIP: "192.0.2.1"}}
	x.Server = &exchange.Server{Name: "server.test", Timeout: 10 * time.Second, DocumentRoot: "/nowhere", LimitLine: 8190, LimitFieldSize: 8190, LimitFields: 100}
	q := &x.Req
	q.Method, q.Target, q.Path, q.RawPath, q.Major, q.Minor, q.Scheme = method, target, target, target, 1, 1, "http"
	q.Line = method + " " + target + " HTTP/1.1"
	q.Header.Add("Host", "client.test")
	q.Host, q.Length, q.Body = "client.test", length, exchange.NoBody{}
	if length != 0 {
		q.Body = &source{Reader: *bytes.NewReader([]byte(body))}
		if length > 0 {
			q.Header.Add("Content-Length", fmt.Sprint(length))
		} else {
			q.Header.Add("Transfer-Encoding", "chunked")
		}
	}
	x.Out = exchange.Outgoing{Method: method, Target: target, Minor: 1, Length: length, HasBody: length != 0}
	return x
}

// source is a request's body from memory.
type source struct {
	bytes.Reader
	taken int64
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.taken += int64(n)
	return n, err
}
func (s *source) Buffered() []byte { return nil }
func (s *source) Discard(int)      {}
func (s *source) Taken() int64     { return s.taken }

// book keeps lines of the error log.
type book struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (b *book) Write(e *exchange.LogEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lines.Len() < 1<<20 {
		b.lines.WriteString(e.Message + "\n")
	}
}

// Ask carries an exchange to a member, and reads its answer to the end.
func Ask(b backend.Backend, w *balancer.Worker, x *exchange.Exchange) (o Outcome) {
	log := &book{}
	x.Server.ErrorLog = log
	a := w.Address()
	x.Out.URL = a.Scheme + "://" + a.Host + x.Out.Target
	defer func() {
		x.Finish()
		o.Kept = backend.Idle(w) > 0
		o.Log = log.lines.String()
	}()
	if err := b.RoundTrip(context.Background(), w, x, &backend.Call{}); err != nil {
		var f *backend.Failure
		var s exchange.Status
		switch {
		case errors.As(err, &f):
			o.Kind = f.Kind
		case errors.As(err, &s):
			o.Status = int(s)
		}
		return o
	}
	r := &x.Res
	o.Status, o.Reason, o.Length = r.Status, strings.Clone(r.Reason), r.Length
	for _, h := range [...]*exchange.Header{&r.Always, &r.Header} {
		for i := range h.F {
			o.Fields += h.F[i].Name + ": " + h.F[i].Value + "\n"
		}
	}
	if r.Body != nil {
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
		o.Body, o.Broken = string(body), err != nil
		r.Body.Close()
	}
	return o
}

// Worker is a worker whose member runs a script for each connection: it is closed when that returns.
func Worker(t testing.TB, scheme string, change func(*balancer.WorkerSettings), script func(net.Conn)) *balancer.Worker {
	t.Helper()
	m := backendtest.Listen(t, script)
	return backendtest.Worker(t, scheme+"://"+m.Addr, change)
}

// Reader reads a request to its end from a connection; false: it ended before.
type Reader func(net.Conn) bool

// Says is a script that answers each request with the pieces, one write each, and then waits for the next.
func Says(read Reader, pieces ...[]byte) func(net.Conn) {
	return func(c net.Conn) {
		for read(c) {
			for _, p := range pieces {
				if _, err := c.Write(p); err != nil {
					return
				}
			}
		}
	}
}

// Once is Says for one request: the connection ends with the answer.
func Once(read Reader, pieces ...[]byte) func(net.Conn) {
	return func(c net.Conn) {
		if !read(c) {
			return
		}
		for _, p := range pieces {
			c.Write(p)
		}
	}
}

// Cut has a member end the connection at each byte of an answer. right judges each outcome, with how much was said.
func Cut(t *testing.T, answer []byte, read Reader, ask func(script func(net.Conn)) Outcome, right func(n int, o Outcome) bool) {
	t.Helper()
	for n := range len(answer) {
		o := ask(func(c net.Conn) {
			if read(c) {
				c.Write(answer[:n])
			}
		})
		if !right(n, o) {
			t.Errorf("ended after %d of %d bytes: %v\n%s", n, len(answer), o, o.Log)
		}
	}
}

// Split has a member say an answer in two pieces, and a byte at a time: the outcome is the same. says is Says or Once.
func Split(t *testing.T, answer []byte, read Reader, says func(Reader, ...[]byte) func(net.Conn), ask func(script func(net.Conn)) Outcome) {
	t.Helper()
	whole := ask(says(read, answer))
	want := whole.String()
	for n := 1; n < len(answer); n++ {
		if o := ask(says(read, answer[:n], answer[n:])); o.String() != want {
			t.Errorf("in two pieces at %d of %d: %v\nin one: %s", n, len(answer), o, want)
		}
	}
	var each [][]byte
	for i := range answer {
		each = append(each, answer[i:i+1])
	}
	if o := ask(says(read, each...)); o.String() != want {
		t.Errorf("a byte at a time: %v\nin one: %s", o, want)
	}
}

// Slow has a member stop behind each text, and keep the connection: it costs no more than the worker's timeout. The
// texts' functions judge the outcomes.
func Slow(t *testing.T, scheme string, b backend.Backend, read Reader, cases map[string]func(Outcome) bool) {
	t.Helper()
	for text, right := range cases {
		done := make(chan bool)
		w := Worker(t, scheme, func(s *balancer.WorkerSettings) { s.Timeout = balancer.Some(50 * time.Millisecond) }, func(c net.Conn) {
			read(c)
			io.WriteString(c, text)
			<-done
		})
		if o := Ask(b, w, Request("GET", "/x", "", 0)); !right(o) || o.Kept {
			t.Errorf("stopped after %q: %v\n%s", text, o, o.Log)
		}
		close(done)
	}
}

// Rude has a member behave badly around an answer: each request comes to an outcome, soon; a connection that brought none,
// or half of one, is not kept; and what was left on another is nobody's answer. upload is a method that may have a body.
func Rude(t *testing.T, scheme string, b backend.Backend, read Reader, answer []byte, upload string) {
	t.Helper()
	reset := func(c net.Conn) {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	large := strings.Repeat("0123456789abcdef", 1<<18) // 4 MiB: more than all buffers hold
	for name, script := range map[string]func(net.Conn){
		"accepts and closes":                    func(net.Conn) {},
		"accepts and resets":                    reset,
		"reads and closes":                      func(c net.Conn) { read(c) },
		"reads and resets":                      func(c net.Conn) { read(c); reset(c) },
		"resets in the answer's head":           func(c net.Conn) { read(c); c.Write(answer[:len(answer)/4]); reset(c) },
		"resets in the answer":                  func(c net.Conn) { read(c); c.Write(answer[:len(answer)-1]); reset(c) },
		"answers and closes, and never reads":   func(c net.Conn) { c.Write(answer) },
		"answers and resets, and never reads":   func(c net.Conn) { c.Write(answer); reset(c) },
		"ends its side without an answer":       func(c net.Conn) { c.(*net.TCPConn).CloseWrite(); io.Copy(io.Discard, c) },
		"repeats its answer for long":           func(c net.Conn) { read(c); long(c, answer) },
		"says the answer's first byte for long": func(c net.Conn) { read(c); long(c, bytes.Repeat(answer[:1], 4096)) },
		"says zeros for long":                   func(c net.Conn) { read(c); long(c, make([]byte, 4096)) },
	} {
		for _, body := range []string{"", "short", large} {
			w := Worker(t, scheme, func(s *balancer.WorkerSettings) {
				s.DisableReuse.Set, s.DisableReuse.V = true, false
				s.Timeout = balancer.Some(2 * time.Second)
			}, script)
			method := "GET"
			if body != "" {
				method = upload
			}
			began := time.Now()
			o := Ask(b, w, Request(method, "/x", body, int64(len(body))))
			if o.Kept && (o.Status < 200 || o.Broken) || o.Status == 0 && o.Kind == 0 || time.Since(began) > 20*time.Second {
				t.Errorf("it %s, %d bytes of body, after %v: %v\n%.300s", name, len(body), time.Since(began), o, o.Log)
			}
			if again := Ask(b, w, Request("GET", "/x", "", 0)); o.Kept && again.Status != o.Status && again.Kind == 0 {
				t.Errorf("it %s; the next request: %v", name, again)
			}
		}
	}
}

// long writes a text again and again, 2 MiB or until the other side has had enough.
func long(c net.Conn, text []byte) {
	for n := 0; n < 2<<20; n += len(text) {
		if _, err := c.Write(text); err != nil {
			return
		}
	}
}

// Nobody is a worker without a member, for a codec that is asked alone.
func Nobody() *balancer.Worker { return nobody() }

var nobody = sync.OnceValue(func() *balancer.Worker {
	return backendtest.Worker(&testing.B{}, "http://nobody.test", nil)
})
