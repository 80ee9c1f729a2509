package ajp

import (
	"testing"

	"balancerd/proxy/backend"
	"balancerd/proxy/backend/membertest"
	"balancerd/proxy/exchange"
)

func codecFor(x *exchange.Exchange) *codec {
	s := &backend.SerialStream{}
	s.X, s.Worker, s.Call = x, membertest.Nobody(), &backend.Call{}
	c := &codec{}
	c.Begin(s)
	return c
}

// FuzzAnswer: bytes taken apart at any places come to the same as at once, and to what a naive reader makes of them.
func FuzzAnswer(f *testing.F) {
	f.Add(answer, byte(7))
	f.Add(all(head(200, "OK", "A", "b"), chunk("x"), end(1)), byte(1))
	f.Add(all(head(404, "", "Content-Type", "x"), chunk(""), chunk("xyz"), end(0)), byte(3))
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
		if end == "EOF" && body != naively(p) {
			t.Fatalf("%q: body %q, want %q", p, body, naively(p))
		}
	})
}

// decoded is what a codec makes of bytes that come in pieces of n.
func decoded(p []byte, n int) (status int, body, end string) {
	c := codecFor(get())
	var in []byte
	for headless := true; ; {
		k := min(n, len(p))
		in, p = append(in, p[:k]...), p[k:]
		for headless {
			used, event, err := c.ParseHead(in)
			if in = in[used:]; err == backend.ErrIncomplete {
				break
			} else if err != nil {
				return 0, "", "failed"
			}
			headless = event != backend.FinalResponse
			status = c.x.Res.Status
		}
		for !headless {
			k, used, err := c.Decode(in)
			body += string(in[:k])
			if in = in[used:]; err == nil {
				break
			} else if err != backend.ErrWantsBody {
				return status, body, err.Error()
			}
		}
		if len(p) == 0 {
			return 0, body, "open"
		}
	}
}

// naively is the text of all chunks in whole packets.
func naively(p []byte) (text string) {
	for len(p) >= 4 {
		n := int(p[2])<<8 | int(p[3])
		switch {
		case p[4] == bodyChunk:
			text += string(p[7 : 4+n-1])
		case p[4] == endResponse:
			return text
		}
		p = p[4+n:]
	}
	return text
}
