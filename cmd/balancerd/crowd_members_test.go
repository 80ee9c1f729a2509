//go:build linux

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// longBody is what speakers answer: 10 MiB of text in which each line tells its number.
const longBody = 10 << 20

// numbered is that body; what is read of it by many costs no memory.
type numbered struct{ at int64 }

func (l *numbered) Read(p []byte) (int, error) {
	if l.at == longBody {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), longBody-l.at))
	for i := range p[:n] {
		p[i] = lineByte(l.at + int64(i))
	}
	l.at += int64(n)
	return n, nil
}

// lineByte is the body's byte at a place: lines of 16 bytes, each its number in hexadecimal and a line feed.
func lineByte(at int64) byte {
	if at%16 == 15 {
		return '\n'
	}
	return "0123456789abcdef"[at/16>>(4*(14-at%16))&15]
}

// pieces hands a body on in pieces, each with what head says in front of it and pad behind it.
func pieces(w io.Writer, body io.Reader, size int, head func(b []byte, n int) []byte, pad string) {
	p := make([]byte, size)
	for {
		n, err := io.ReadFull(body, p)
		if n > 0 {
			out := append(append(head(nil, n), p[:n]...), pad...)
			if _, werr := w.Write(out); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

var be = binary.BigEndian

// speakers are members of other protocols than HTTP: how one reads a request without a body, and answers it.
var speakers = map[string]struct {
	read  func(*bufio.Reader) error
	write func(io.Writer, io.Reader)
}{
	"fcgi": {func(r *bufio.Reader) error {
		for {
			h, err := r.Peek(8)
			if err != nil {
				return err
			}
			kind, n := h[1], int(be.Uint16(h[4:]))
			if _, err := r.Discard(8 + n + int(h[6])); err != nil || kind == 5 && n == 0 {
				return err
			}
		}
	}, func(w io.Writer, body io.Reader) {
		record := func(kind byte) func(b []byte, n int) []byte {
			return func(b []byte, n int) []byte {
				return append(be.AppendUint16(append(b, 1, kind, 0, 1), uint16(n)), 0, 0)
			}
		}
		pieces(w, io.MultiReader(strings.NewReader("Content-Type: text/plain\r\n\r\n"), body), 32<<10, record(6), "")
		w.Write(append(record(3)(nil, 8), make([]byte, 8)...))
	}},
	"ajp": {func(r *bufio.Reader) error {
		h, err := r.Peek(4)
		if err == nil {
			_, err = r.Discard(4 + int(be.Uint16(h[2:])))
		}
		return err
	}, func(w io.Writer, body io.Reader) {
		w.Write([]byte("AB\x00\x0a\x04\x00\xc8\x00\x02OK\x00\x00\x00"))
		chunk := func(b []byte, n int) []byte {
			return be.AppendUint16(append(be.AppendUint16(append(b, 'A', 'B'), uint16(n+4)), 3), uint16(n))
		}
		pieces(w, body, 8184, chunk, "\x00")
		w.Write([]byte("AB\x00\x02\x05\x01"))
	}},
	"scgi": {func(r *bufio.Reader) error {
		size, err := r.ReadString(':')
		n, nerr := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil || nerr != nil {
			return io.EOF
		}
		_, err = r.Discard(n + 1)
		return err
	}, func(w io.Writer, body io.Reader) {
		io.WriteString(w, "Content-Type: text/plain\r\n\r\n")
		pieces(w, body, 32<<10, func(b []byte, _ int) []byte { return b }, "")
		w.(io.Closer).Close()
	}},
	"uwsgi": {func(r *bufio.Reader) error {
		h, err := r.Peek(4)
		if err == nil {
			_, err = r.Discard(4 + int(binary.LittleEndian.Uint16(h[1:])))
		}
		return err
	}, func(w io.Writer, body io.Reader) {
		fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", longBody)
		pieces(w, body, 32<<10, func(b []byte, _ int) []byte { return b }, "")
		w.(io.Closer).Close()
	}},
}

// speak listens as a member of a protocol; wrote counts all bytes of its answers.
func speak(t *testing.T, scheme string, wrote *atomic.Int64) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := speakers[scheme]
	serveEach(t, l, func(c net.Conn) {
		c.(*net.TCPConn).SetWriteBuffer(64 << 10)
		for r := bufio.NewReaderSize(c, 16<<10); s.read(r) == nil; {
			s.write(counted{c, wrote}, &numbered{})
		}
	})
	return l.Addr().String()
}

type counted struct {
	net.Conn
	n *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// TestSlowReadersOfOtherProtocols: clients that do not read long answers of FastCGI, AJP, SCGI and uwsgi members cost no
// more than those of HTTP members, keep nobody waiting, and get in the end what they asked for.
func TestSlowReadersOfOtherProtocols(t *testing.T) {
	n := crowdSize(t, 1000, 0, 4)
	for scheme := range speakers {
		t.Run(scheme, func(t *testing.T) {
			p := newInstance(t)
			var wrote atomic.Int64
			at := speak(t, scheme, &wrote)
			p.conf("LoadModule proxy_" + scheme + "_module modules/mod_proxy_" + scheme + ".so\nTimeout 300\nSendBufferSize 65536\nProxyReceiveBufferSize 65536\n" +
				"ProxyPass /long " + scheme + "://" + at + "/\n" + passAll)
			p.start()
			p.otherClients()
			median, _ := p.otherClients()
			before := p.resident()
			clients := p.crowd(n, func(_ int, c *net.TCPConn) error {
				_, err := io.WriteString(c, "GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
				return err
			})
			last := int64(-1)
			p.until("all answers stand", func() bool {
				time.Sleep(300 * time.Millisecond)
				now := wrote.Load()
				defer func() { last = now }()
				return now == last && now > int64(n)<<15
			})
			m, s := p.otherClients()
			cost := float64(p.resident()-before) / float64(n) / 1024
			t.Logf("%d slow readers: %.1f KiB each, %d KiB of each have left the member; others %v, slowest %v (alone %v)", n, cost, wrote.Load()/int64(n)>>10, m, s, median)
			if cost > 64+memoryNoise/float64(n) {
				t.Errorf("%.1f KiB for each", cost)
			}
			if m > 5*median+20*time.Millisecond || s > time.Second {
				t.Errorf("others wait %v, at most %v", m, s)
			}
			for i, c := range clients[:10] {
				c.SetReadDeadline(time.Now().Add(time.Minute))
				res, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatal(err)
				}
				if at, err := isLines(res.Body); err != nil || at != longBody {
					t.Errorf("reader %d: %d bytes are right, %v", i, at, err)
				}
			}
			resetAll(clients)
			p.until("the crowd is gone", func() bool { return p.descriptors() < 100+50 })
		})
	}
}

// isLines is up to where a body is that of speakers.
func isLines(r io.Reader) (at int64, err error) {
	for in := bufio.NewReaderSize(r, 64<<10); ; at++ {
		b, err := in.ReadByte()
		switch {
		case err == io.EOF:
			return at, nil
		case err != nil:
			return at, err
		case b != lineByte(at):
			return at, fmt.Errorf("byte %d is %q", at, b)
		}
	}
}
