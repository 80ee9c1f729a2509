package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// herd is clients that have asked once and now keep their connections.
type herd struct{ conns []net.Conn }

// gather opens n connections, 64 at a time, and asks once on each. alive is how many got their answer.
func gather(ctx context.Context, n int, addr, path string) (h *herd, alive int) {
	h = &herd{conns: make([]net.Conn, n)}
	var good, next atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && ctx.Err() == nil; i = next.Add(1) - 1 {
				c, err := askOnce(addr, path)
				if err == nil {
					good.Add(1)
				}
				h.conns[i] = c
			}
		})
	}
	all.Wait()
	return h, int(good.Load())
}

func askOnce(addr, path string) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return c, err
	}
	if _, err = io.Copy(io.Discard, res.Body); err == nil && res.StatusCode != 200 {
		err = fmt.Errorf("status %d", res.StatusCode)
	}
	return c, err
}

func (h *herd) close() {
	for _, c := range h.conns {
		if c != nil {
			c.Close()
		}
	}
}
