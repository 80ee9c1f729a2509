package http1

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/backend"
)

// TestTunnelsAreTheLoops: a tunnel is two tasks of the event loop that serves its client, plain or over TLS, to members of
// both kinds.
func TestTunnelsAreTheLoops(t *testing.T) {
	echo := func(c net.Conn) {
		r := bufio.NewReader(c)
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		io.Copy(c, r)
	}
	for _, front := range []string{"plain", "TLS"} {
		for _, member := range []string{"http", "https"} {
			t.Run(front+" to "+member, func(t *testing.T) {
				serve := echo
				if member == "https" {
					serve = secured(t, echo)
				}
				m := newMember(t, serve)
				a := &app{worker: newWorker(t, member+"://"+m.Addr, nil), call: backend.Call{TLS: trusting, HalfClose: true, Timeout: time.Minute, Idle: time.Minute}}
				var c net.Conn
				if front == "plain" {
					c = newFront(t, a).dial(t)
				} else {
					s, err := tls.Dial("tcp", newSecureFront(t, a).addr, &tls.Config{InsecureSkipVerify: true})
					if err != nil {
						t.Fatal(err)
					}
					defer s.Close()
					c = s
				}
				c.SetDeadline(time.Now().Add(20 * time.Second))
				r := bufio.NewReader(c)
				io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nearly ")
				if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 101 {
					t.Fatalf("%v %v", res, err)
				}
				io.WriteString(c, "later")
				p := make([]byte, len("early later"))
				if _, err := io.ReadFull(r, p); err != nil || string(p) != "early later" {
					t.Errorf("%q, %v", p, err)
				}
				stacks := make([]byte, 4<<20)
				stacks = stacks[:runtime.Stack(stacks, true)]
				if n := strings.Count(string(stacks), "tunnel.JoinInLoop("); n != 1 {
					t.Errorf("%d tunnels are a loop's, want 1", n)
				}
			})
		}
	}
}
