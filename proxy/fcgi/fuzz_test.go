package fcgi

import (
	"bytes"
	"encoding/binary"
	"testing"

	"balancerd/proxy/backend"
	"balancerd/proxy/backend/membertest"
	"balancerd/proxy/cgi"
)

func requestOf(c *codec) cgi.Request {
	var r cgi.Request
	c.script(&r)
	return r
}

// stream is an attempt's, for the codec alone.
func codecFor() *codec {
	x := get()
	c := &codec{s: &backend.SerialStream{}, x: x, keep: true}
	c.s.X, c.s.Worker, c.s.Call = x, membertest.Nobody(), &backend.Call{}
	c.answer.Length = -1
	return c
}

// FuzzAnswer: bytes taken apart at any places come to the same as at once, and to what a naive reader makes of them.
func FuzzAnswer(f *testing.F) {
	f.Add(answer, byte(7))
	f.Add(all(out("A: b\r\n\r\n"), out("x"), end()), byte(1))
	f.Add(all(out("\n"), out("x"), out(""), errout("z")), byte(3))
	f.Add(out("\n\r\n"), byte(1))
	f.Fuzz(func(t *testing.T, p []byte, step byte) {
		if len(p) > 1<<17 {
			return
		}
		status, body, end := decoded(p, len(p)+1)
		for _, n := range []int{1, int(step) + 1} {
			if s, b, e := decoded(p, n); s != status || e != end || b != body {
				t.Fatalf("in pieces of %d: %d %q %q, at once: %d %q %q", n, s, b, e, status, body, end)
			}
		}
		if head, naive, ok := naively(p); ok && status != 0 && status != 500 {
			if cgi.EndOfHead([]byte(head+naive), 0) == 0 || body != (head + naive)[cgi.EndOfHead([]byte(head+naive), 0):] {
				t.Fatalf("%q: body %q, want %q", p, body, naive)
			}
		}
	})
}

// decoded is what a codec makes of bytes that come in pieces of n.
func decoded(p []byte, n int) (status int, body, end string) {
	c := codecFor()
	var in []byte
	for head := true; ; {
		k := min(n, len(p))
		in, p = append(in, p[:k]...), p[k:]
		if head {
			used, _, err := c.ParseHead(in)
			if in = in[used:]; err == backend.ErrIncomplete {
				if len(p) == 0 {
					return 0, "", "open"
				}
				continue
			} else if err != nil {
				return 0, "", "failed"
			}
			head, status = false, c.x.Res.Status
			if c.refused {
				return status, "", "refused"
			}
		}
		k, used, err := c.Decode(in)
		body += string(in[:k])
		if in = in[used:]; err != nil && err != backend.ErrEnding {
			return status, body, err.Error()
		}
		if len(p) == 0 {
			return status, body, "open"
		}
	}
}

// naively is STDOUT of whole records up to END_REQUEST; ok: all of it is in order.
func naively(p []byte) (head, body string, ok bool) {
	var text []byte
	for len(p) >= 8 && p[0] == 1 && binary.BigEndian.Uint16(p[2:]) == 1 {
		n := int(binary.BigEndian.Uint16(p[4:]))
		if len(p) < 8+n+int(p[6]) {
			return "", "", false
		}
		switch p[1] {
		case stdout:
			text = append(text, p[8:8+n]...)
		case endRequest:
			return "", string(text), bytes.IndexByte(text, '\n') >= 0
		}
		p = p[8+n+int(p[6]):]
	}
	return "", "", false
}
