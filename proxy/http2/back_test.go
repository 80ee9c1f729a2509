package http2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/backendtest"
	"balancerd/proxy/exchange"
)

func reflect(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.Header().Set("X-Back", "1")
	w.Header().Add("Set-Cookie", "a=1")
	w.Header().Add("Set-Cookie", "b=2")
	fmt.Fprintf(w, "%s %s %s %d %d %v %q", r.Method, r.RequestURI, r.Host, r.ContentLength, len(body), err, r.Header["X-A"])
}

func TestMember(t *testing.T) {
	worker, connections := countedMember(t, reflect, nil)
	f := newFront(t, &app{worker: worker})
	cl := browser(t)
	for _, c := range []struct{ method, target, body, want string }{
		{"GET", "/x?y=%20z", "", `GET /x?y=%20z member.test 0 0 <nil> ["1"]`},
		{"GET", "//x", "", `GET //x member.test 0 0 <nil> ["1"]`},
		{"POST", "/x", "hello", `POST /x member.test 5 5 <nil> ["1"]`},
		{"PUT", "/x", strings.Repeat("x", 300000), `PUT /x member.test 300000 300000 <nil> ["1"]`},
		{"FOO", "/x", "", `FOO /x member.test 0 0 <nil> ["1"]`},
	} {
		r, _ := http.NewRequest(c.method, "http://"+f.addr+c.target, strings.NewReader(c.body))
		r.URL.Opaque, r.URL.RawQuery = "//"+f.addr+c.target, ""
		if c.body == "" {
			r.Body = nil
			r.ContentLength = 0
		}
		r.Header.Set("X-A", "1")
		res, err := cl.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if string(body) != c.want || res.Header.Get("X-Back") != "1" || len(res.Header["Set-Cookie"]) != 2 {
			t.Errorf("%s %v", body, res.Header)
		}
	}
	if n := connections(); n != 1 {
		t.Error(n, "connections")
	}
}

// Both directions at once: each piece is answered before the next one is sent.
func TestBothWaysAtOnce(t *testing.T) {
	f := newFront(t, &app{worker: newMember(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-T")
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			w.Write([]byte(strings.ToUpper(string(buf[:n]))))
			w.(http.Flusher).Flush()
			if err != nil {
				break
			}
		}
		w.Header().Set("X-T", "end")
	})})
	in, out := io.Pipe()
	r, _ := http.NewRequest("POST", "http://"+f.addr+"/", in)
	res, err := browser(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	for _, word := range []string{"one", "two", "three"} {
		io.WriteString(out, word)
		n, err := io.ReadAtLeast(res.Body, buf, len(word))
		if got := string(buf[:n]); got != strings.ToUpper(word) || err != nil {
			t.Fatal(got, err)
		}
	}
	out.Close()
	if rest, err := io.ReadAll(res.Body); len(rest) > 0 || err != nil || res.Trailer.Get("X-T") != "end" {
		t.Error(rest, err, res.Trailer)
	}
}

func TestManyStreamsOneConnection(t *testing.T) {
	worker, connections := countedMember(t, func(w http.ResponseWriter, r *http.Request) { time.Sleep(50 * time.Millisecond); reflect(w, r) }, nil)
	f := newFront(t, &app{worker: worker})
	cl := browser(t)
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			res, err := cl.Get("http://" + f.addr + "/")
			if err != nil {
				t.Error(err)
				return
			}
			io.Copy(io.Discard, res.Body)
		})
	}
	wg.Wait()
	if n := connections(); n != 1 {
		t.Error(n, "connections")
	}
}

// A member that says it touched nothing gets the request again, on another connection; then another
// member gets it.
func TestRefusedStream(t *testing.T) {
	refusing := frames(t, func(fr *http2.Framer, id uint32) { fr.WriteRSTStream(id, http2.ErrCodeRefusedStream) })
	a := &app{worker: newWorker(t, refusing, nil), again: newMember(t, reflect)}
	f := newFront(t, a)
	res, err := browser(t).Post("http://"+f.addr+"/x", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	if !strings.HasPrefix(string(body), "POST /x member.test 5 5") {
		t.Errorf("%s %v", body, a.failures())
	}
	var e *backend.Failure
	if errs := a.failures(); len(errs) != 1 || !errors.As(errs[0], &e) || e.Kind != backend.NotTaken || e.Sent {
		t.Errorf("%+v", errs)
	}
}

// frames is a member that answers each request by its own frames.
func frames(t *testing.T, answer func(*http2.Framer, uint32)) (url string) {
	m := backendtest.Listen(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, len(http2.ClientPreface)))
		fr := http2.NewFramer(c, c)
		fr.AllowIllegalWrites = true
		fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if h, ok := f.(*http2.HeadersFrame); ok {
				answer(fr, h.StreamID)
			}
		}
	})
	return "h2c://" + m.Addr
}

// Where an attempt fails, what it is called.
func TestMemberFailures(t *testing.T) {
	head := func(fr *http2.Framer, id uint32, end bool, fields ...string) {
		var b strings.Builder
		e := hpack.NewEncoder(&b)
		for i := 0; i < len(fields); i += 2 {
			e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		block := []byte(b.String())
		n := min(len(block), 16<<10)
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:n], EndHeaders: n == len(block), EndStream: end})
		for block = block[n:]; len(block) > 0; block = block[n:] {
			n = min(len(block), 16<<10)
			fr.WriteContinuation(id, n == len(block), block[:n])
		}
	}
	for _, c := range []struct {
		name   string
		answer func(*http2.Framer, uint32)
		kind   backend.Kind
	}{
		{"reset", func(fr *http2.Framer, id uint32) { fr.WriteRSTStream(id, http2.ErrCodeInternal) }, backend.EarlyClose},
		{"silence", func(*http2.Framer, uint32) {}, backend.ReadTimeout},
		{"goaway", func(fr *http2.Framer, id uint32) { fr.WriteGoAway(id, http2.ErrCodeInternal, nil) }, backend.ReadTimeout},
		{"goaway before", func(fr *http2.Framer, id uint32) { fr.WriteGoAway(0, http2.ErrCodeNo, nil) }, backend.NotTaken},
		{"an angry goaway before", func(fr *http2.Framer, id uint32) { fr.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil) }, backend.NotTaken},
		{"refused", func(fr *http2.Framer, id uint32) { fr.WriteRSTStream(id, http2.ErrCodeRefusedStream) }, backend.NotTaken},
		{"reset without an error", func(fr *http2.Framer, id uint32) { fr.WriteRSTStream(id, http2.ErrCodeNo) }, backend.EarlyClose},
		{"no status", func(fr *http2.Framer, id uint32) { head(fr, id, true, "x", "y") }, backend.BadHead},
		{"an invalid status", func(fr *http2.Framer, id uint32) { head(fr, id, true, ":status", "099") }, backend.BadStatusLine},
		{"a line end in a value", func(fr *http2.Framer, id uint32) { head(fr, id, true, ":status", "200", "x", "a\r\nb") }, backend.BadHead},
		{"a huge head", func(fr *http2.Framer, id uint32) {
			var fields = []string{":status", "200"}
			for i := range 40 {
				fields = append(fields, fmt.Sprint("x", i), strings.Repeat("a", 300))
			}
			for range 40 {
				fields = append(fields, fields[2:]...)
				if len(fields) > 3000 {
					break
				}
			}
			head(fr, id, true, fields...)
		}, backend.BadHead},
		{"1xx without end", func(fr *http2.Framer, id uint32) {
			for range 12 {
				head(fr, id, false, ":status", "103")
			}
		}, backend.TooManyInterim},
		{"frames of no size", func(fr *http2.Framer, id uint32) {
			fr.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 0})
		}, backend.BadHead},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := &app{worker: newWorker(t, frames(t, c.answer), func(s *balancer.WorkerSettings) { s.Timeout = balancer.Some(time.Second) })}
			f := newFront(t, a)
			k := f.dial(t)
			k.get(1, "/")
			if what, _ := k.outcome(1); what != "502" {
				t.Error(what)
			}
			var e *backend.Failure
			if errs := a.failures(); len(errs) != 1 || !errors.As(errs[0], &e) || e.Kind != c.kind {
				t.Errorf("%+v %+v", errs, e)
			}
		})
	}
}

// A member's response that breaks off breaks the client's off.
func TestMemberBreaksOff(t *testing.T) {
	f := newFront(t, &app{worker: newMember(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "abc")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})})
	c := f.dial(t)
	c.get(1, "/")
	if what, data := c.outcome(1); what != "200 RST INTERNAL_ERROR" || data != "abc" {
		t.Error(what, data)
	}
}

// The client's end of a stream ends the member's.
func TestClientsResetReachesTheMember(t *testing.T) {
	started, gone := make(chan bool, 1), make(chan bool, 1)
	f := newFront(t, &app{worker: newMember(t, func(_ http.ResponseWriter, r *http.Request) {
		started <- true
		select {
		case <-r.Context().Done():
			gone <- true
		case <-time.After(5 * time.Second):
			gone <- false
		}
	})})
	c := f.dial(t)
	c.get(1, "/")
	<-started
	c.fr.WriteRSTStream(1, http2.ErrCodeCancel)
	if !<-gone {
		t.Error("the member went on")
	}
}

// A body that a goroutine of the exchange must read, as HTTP/1's.
func TestBodyOfAnotherFront(t *testing.T) {
	a := &app{worker: newMember(t, reflect)}
	a.serve = func(ctx context.Context, x *exchange.Exchange) {
		x.Req.Body = plain{x.Req.Body}
		a.forward(ctx, x, a.worker)
	}
	f := newFront(t, a)
	for _, n := range []int{1, 100, 20000, 400000} {
		res, err := browser(t).Post("http://"+f.addr+"/", "text/plain", io.MultiReader(strings.NewReader(strings.Repeat("x", n))))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if want := fmt.Sprintf("POST / member.test -1 %d <nil>", n); !strings.HasPrefix(string(body), want) {
			t.Errorf("%s, want %s", body, want)
		}
	}
}

// plain hides that a body can tell what comes.
type plain struct{ exchange.Body }

// A panic in the goroutine of an attempt ends its exchange alone, with 500.
func TestPanicInAnAttempt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := &app{worker: newWorker(t, "h2://"+l.Addr().String(), nil)}
	a.call.TLS = &backend.TLS{Client: func(context.Context, net.Conn, string, ...string) (net.Conn, error) { panic("on purpose") }}
	f := newFront(t, a)
	c := browser(t)
	for range 2 {
		res, err := c.Get("http://" + f.addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 500 {
			t.Error(res.Status)
		}
	}
}
