package http2

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
)

// soakTime is BALANCERD_SOAK, a duration; else a second.
func soakTime(t *testing.T) time.Duration {
	if d, err := time.ParseDuration(os.Getenv("BALANCERD_SOAK")); err == nil {
		return d
	}
	return time.Second
}

// restless is a member that does what members do: it answers at once or in pieces, before the request is there or
// behind it, with hints and trailers, it breaks off, says GOAWAY, is slow.
func restless(w http.ResponseWriter, r *http.Request) {
	var size int
	fmt.Sscanf(r.Header.Get("X-Size"), "%d", &size)
	switch kind := r.Header.Get("X-Kind"); kind {
	case "hints":
		w.Header().Set("Link", "</a>")
		w.WriteHeader(103)
	case "breaks":
		w.WriteHeader(200)
		w.Write(make([]byte, size))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	case "goes":
		w.Header().Set("Connection", "close")
	case "early":
		w.Write(make([]byte, size))
		return
	case "trailer":
		w.Header().Set("Trailer", "X-T")
		defer w.Header().Set("X-T", "1")
	}
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		return
	}
	if r.Header.Get("X-Kind") != "hints" { // net/http may still be writing the head of those
		w.Header().Set("X-Got", fmt.Sprint(n))
	}
	for piece := max(size/3, 1); size > 0; size -= piece {
		w.Write(make([]byte, min(piece, size)))
		w.(http.Flusher).Flush()
	}
}

// TestSoak has clients of all sorts at the server, and members of all sorts behind it, for as long as BALANCERD_SOAK
// says: each answer is whole or broken off, nothing is left behind, and nothing panics but what is meant to.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	panics := recovery.Panics()
	worker, _ := countedMember(t, restless, func(s *http.Server) { s.ErrorLog = nil })
	a := &app{worker: worker}
	srv := &exchange.Server{Timeout: 5 * time.Second, KeepAliveTimeout: 5 * time.Second}
	srv.HTTP2.WebSockets, srv.HTTP2.Padding = true, 3
	a.srv = srv
	a.serve = func(ctx context.Context, x *exchange.Exchange) {
		switch {
		case x.Req.Upgrade:
			x.Server = srv
			x.Res.Status, x.Res.Tunnel = 101, newTunnel()
			x.Res.Header.Add("Sec-WebSocket-Accept", acceptOf(x.Req.Header.Get("Sec-WebSocket-Key")))
		case x.Req.RawPath == "/plain":
			x.Req.Body = plain{x.Req.Body}
			a.forward(ctx, x, worker)
		default:
			a.forward(ctx, x, worker)
		}
	}
	f := newFront(t, a)
	end := time.Now().Add(soakTime(t))
	var asked, whole atomic.Int64
	var over sync.WaitGroup
	for i := range 8 {
		over.Go(func() {
			cl := browser(t)
			for r := rand.New(rand.NewPCG(uint64(i), 1)); time.Now().Before(end); {
				asked.Add(1)
				if soakOne(t, f, cl, r) {
					whole.Add(1)
				}
			}
		})
	}
	for i := range 2 {
		over.Go(func() {
			for r := rand.New(rand.NewPCG(uint64(i), 2)); time.Now().Before(end); {
				soakRude(t, f, r)
			}
		})
	}
	over.Wait()
	f.s.Renew()
	f.wait(t)
	t.Logf("%d requests, %d answered whole", asked.Load(), whole.Load())
	if whole.Load() < asked.Load()/3 {
		t.Error("most requests fail", asked.Load(), whole.Load())
	}
	if n := recovery.Panics() - panics; n > 0 {
		t.Error(n, "panics: ", f.logged())
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if done, began := a.finished(), a.begins(); done == began {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(began-done, "exchanges do not end")
		}
	}
}

// soakOne is one request of a good client; it reports whether the answer was whole.
func soakOne(t *testing.T, f *front, cl *http.Client, r *rand.Rand) bool {
	kinds := []string{"", "", "hints", "trailer", "early", "breaks", "goes"}
	kind, size := kinds[r.IntN(len(kinds))], r.IntN(200000)
	path, body := "/", r.IntN(100000)
	if r.IntN(4) == 0 {
		path = "/plain"
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	method := "POST"
	if r.IntN(2) == 0 {
		method, body = "GET", 0
	}
	req, _ := http.NewRequestWithContext(ctx, method, "http://"+f.addr+path, bytes.NewReader(make([]byte, body)))
	if r.IntN(3) == 0 && body > 0 {
		req.ContentLength, req.Body = -1, io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("x", body))))
	}
	req.Header.Set("X-Size", fmt.Sprint(size))
	req.Header.Set("X-Kind", kind)
	if r.IntN(20) == 0 {
		time.AfterFunc(time.Duration(r.IntN(5000))*time.Microsecond, cancel)
	}
	res, err := cl.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	switch {
	case err != nil || res.StatusCode != 200:
		return false
	case int(n) != size, kind == "breaks":
		t.Errorf("%s: %d bytes of %d, and no error", kind, n, size)
	case kind != "early" && kind != "hints" && res.Header.Get("X-Got") != fmt.Sprint(body):
		t.Errorf("%s: the member got %s of %d bytes", kind, res.Header.Get("X-Got"), body)
	}
	return true
}

// soakRude is a connection of a client that breaks streams off, goes away, or has WebSockets.
func soakRude(t *testing.T, f *front, r *rand.Rand) {
	c := f.dial(t)
	defer c.nc.Close()
	go io.Copy(io.Discard, c.nc)
	for i := range r.IntN(40) {
		id := uint32(2*i + 1)
		switch r.IntN(4) {
		case 0:
			c.get(id, "/", "x-size", "100000")
		case 1:
			c.ask(id, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/", "x-size", "10")
			c.fr.WriteData(id, r.IntN(2) == 0, make([]byte, r.IntN(1000)))
		case 2:
			c.socket(id, "/")
			c.fr.WriteData(id, r.IntN(2) == 0, make([]byte, 10))
		case 3:
			if i > 0 {
				c.fr.WriteRSTStream(uint32(2*r.IntN(i)+1), http2.ErrCodeCancel)
			}
			c.get(id, "/")
		}
	}
	time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
}
