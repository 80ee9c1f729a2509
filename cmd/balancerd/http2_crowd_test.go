//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// HTTP/2's connections that idle after a request hold little, and a hundred streams of 1 MiB at once, to clients that
// take them as they come, no more than the README says: windows, not answers.
func TestManyHTTP2(t *testing.T) {
	n := crowdSize(t, 2000, 0, 1)
	p := newInstance(t)
	const large = 1 << 20
	p.behind(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := 100
		if r.URL.Path == "/large" {
			size = large
		}
		w.Header().Set("Content-Length", fmt.Sprint(size))
		w.Write(make([]byte, size))
	}))
	p.conf("LoadModule http2_module modules/mod_http2.so\nProtocols h2c http/1.1\nKeepAliveTimeout 300\n" + passAll)
	p.start()
	p.get("/")
	before := p.resident()
	all := p.crowd(n, func(i int, c *net.TCPConn) error { return requests(c, "/small", 1, 100) })
	idle := p.resident() - before
	t.Logf("%d idle connections: %d KiB, %d bytes each", n, idle>>10, idle/n)
	if idle > n*24<<10+memoryNoise<<10 {
		t.Errorf("%d idle connections hold %d KiB", n, idle>>10)
	}
	resetAll(all)
	var most atomic.Int64
	done := make(chan bool)
	var over sync.WaitGroup
	over.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				most.Store(max(most.Load(), int64(p.resident())))
			}
		}
	})
	start := p.resident()
	for range 3 {
		p.crowd(1, func(_ int, c *net.TCPConn) error { return requests(c, "/large", 100, large) })
	}
	close(done)
	over.Wait()
	grown := int(most.Load()) - start
	t.Logf("100 streams of 1 MiB: %d KiB more at most", grown>>10)
	if grown > 24<<20+memoryNoise<<10 {
		t.Errorf("100 streams of 1 MiB hold %d KiB", grown>>10)
	}
}

// requests asks for a path by so many streams at once, and reads all answers.
func requests(c net.Conn, path string, streams, size int) error {
	c.SetDeadline(time.Now().Add(time.Minute))
	var b bytes.Buffer
	b.WriteString(http2.ClientPreface)
	fr := http2.NewFramer(&b, nil)
	fr.WriteSettings(noPush, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	fr.WriteWindowUpdate(0, 1<<30)
	fr.WriteSettingsAck()
	for i := range streams {
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), EndHeaders: true, EndStream: true,
			BlockFragment: block([]string{":method", "GET", ":scheme", "http", ":authority", "h", ":path", path})})
	}
	if _, err := c.Write(b.Bytes()); err != nil {
		return err
	}
	in := http2.NewFramer(nil, c)
	in.SetReuseFrames()
	for got := 0; got < streams*size; {
		f, err := in.ReadFrame()
		if err != nil {
			return fmt.Errorf("%d of %d bytes: %w", got, streams*size, err)
		}
		switch f := f.(type) {
		case *http2.DataFrame:
			got += len(f.Data())
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return fmt.Errorf("%v: %w", f, io.ErrUnexpectedEOF)
		}
	}
	return nil
}
