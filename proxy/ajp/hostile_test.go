package ajp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/membertest"
	"balancerd/proxy/exchange"
)

// answer has everything that an answer may have.
var answer = all(chunk(""), wantsBody(), head(201, "Made", "X-A", "1", "x-a", "2"), wantsBody(), chunk("bo"), chunk(""), wantsBody(), chunk("dy"), end(1))

// answering sends pieces, with an eye on the packets of a body that it asks for: nobody reads them.
func answering(pieces ...[]byte) func(net.Conn) {
	return func(c net.Conn) {
		for {
			if p, ok := readPacket(c); !ok || len(p) == 0 {
				return
			} else if p[0] != forwardRequest {
				continue
			}
			for _, p := range pieces {
				if _, err := c.Write(p); err != nil {
					return
				}
			}
		}
	}
}

func TestAnswerAtEachByte(t *testing.T) {
	want := ask(t, get(), answering(answer))
	if want.Status != 201 || want.Reason != "Made" || want.Body != "body" || want.Fields != "X-A: 1\nx-a: 2\n" || !want.Kept || want.Length != -1 || want.Log != "" {
		t.Error(want, want.Log)
	}
	for n := 1; n < len(answer); n++ {
		if o := ask(t, get(), answering(answer[:n], answer[n:])); o.String() != want.String() {
			t.Errorf("in two pieces at %d: %v", n, o)
		}
	}
	var each [][]byte
	for i := range answer {
		each = append(each, answer[i:i+1])
	}
	if o := ask(t, get(), answering(each...)); o.String() != want.String() {
		t.Errorf("a byte at a time: %v", o)
	}
}

func TestAnswerCutAtEachByte(t *testing.T) {
	headed := strings.Index(string(answer), "AB\x00\x03\x06\x1f\xfaAB\x00\x06\x03\x00\x02bo") // the head is whole
	began := strings.Index(string(answer), "\x00AB\x00\x04\x03\x00\x00\x00AB\x00\x03\x06\x1f\xfaAB\x00\x06\x03\x00\x02dy") + 1
	if headed < 0 || began <= 0 {
		t.Fatal(headed, began)
	}
	membertest.Cut(t, answer, readRequest, func(s func(net.Conn)) membertest.Outcome { return ask(t, get(), s) }, func(n int, o membertest.Outcome) bool {
		switch {
		case o.Kept:
			return false
		case n < headed:
			return o.Kind == backend.EarlyClose
		case n < began:
			return o.Kind == backend.BadHead
		}
		return o.Status == 201 && o.Broken && strings.HasPrefix("body", o.Body)
	})
}

func TestHostileMembers(t *testing.T) {
	ok := head(200, "OK", "X-A", "1")
	fails := func(kind backend.Kind) func(membertest.Outcome) bool {
		return func(o membertest.Outcome) bool { return o.Kind == kind && !o.Kept }
	}
	breaks := func(body string) func(membertest.Outcome) bool {
		return func(o membertest.Outcome) bool { return o.Status == 200 && o.Body == body && o.Broken && !o.Kept }
	}
	answers := func(body string, kept bool) func(membertest.Outcome) bool {
		return func(o membertest.Outcome) bool {
			return o.Status == 200 && o.Body == body && !o.Broken && o.Kept == kept
		}
	}
	for name, c := range map[string]struct {
		says []byte
		want func(membertest.Outcome) bool
	}{
		"no mark":                    {[]byte("XY\x00\x01\x05"), fails(backend.BadFraming)},
		"HTTP":                       {[]byte("HTTP/1.1 200 OK\r\n\r\n"), fails(backend.BadFraming)},
		"an empty packet":            {packet(""), fails(backend.BadFraming)},
		"a packet that is too long":  {[]byte("AB\x1f\xfd\x04"), fails(backend.BadFraming)},
		"the longest packet":         {all(ok, chunk(strings.Repeat("y", 8184)), end(1)), answers(strings.Repeat("y", 8184), true)},
		"the end alone":              {end(1), fails(backend.BadHead)},
		"a body without a head":      {all(chunk("x"), ok, end(1)), fails(backend.BadHead)},
		"an unknown packet":          {packet("\x63"), fails(backend.BadHead)},
		"a pong":                     {packet("\x09"), fails(backend.BadHead)},
		"two heads":                  {all(ok, ok, end(1)), fails(backend.BadHead)},
		"a second head in the body":  {all(ok, chunk("x"), ok, end(1)), breaks("x")},
		"no mark in the body":        {all(ok, chunk("x"), []byte("XY\x00\x02\x05\x01")), breaks("x")},
		"too long in the body":       {all(ok, chunk("x"), []byte("AB\xff\xff\x03\xff\xfb")), breaks("x")},
		"a chunk that is longer":     {all(ok, packet("\x03\x00\x10x\x00"), end(1)), fails(backend.BadHead)},
		"a chunk that is shorter":    {all(ok, packet("\x03\x00\x01xyz\x00"), end(1)), fails(backend.BadHead)},
		"a chunk without its size":   {all(ok, packet("\x03\x00")), fails(backend.BadHead)},
		"a shorter one in the body":  {all(ok, chunk("x"), packet("\x03\x00\x01yz\x00"), end(1)), breaks("x")},
		"no size in the body":        {all(ok, chunk("x"), packet("\x03\x00"), end(1)), breaks("x")},
		"a code that is none":        {packet("\x04\x00\xc8\x00\x00\x00\x00\x01\xa0\x0c\x00\x01x\x00"), fails(backend.BadHead)},
		"more fields than there are": {packet("\x04\x00\xc8\x00\x00\x00\xff\xff\xa0\x01\x00\x01x\x00"), fails(backend.BadHead)},
		"a name beyond the packet":   {packet("\x04\x00\xc8\x00\x00\x00\x00\x01\x7f\xff"), fails(backend.BadHead)},
		"a reason beyond the packet": {packet("\x04\x00\xc8\x7f\xffOK"), fails(backend.BadHead)},
		"half a status":              {packet("\x04\x00"), fails(backend.BadHead)},
		"an interim status":          {all(head(103, "Early"), end(1)), fails(backend.BadHead)},
		"no flag":                    {all(ok, chunk("x"), packet("\x05")), breaks("x")},
		"not to be kept":             {all(ok, chunk("x"), end(0)), answers("x", false)},
		"bytes behind":               {all(ok, chunk("x"), end(1), []byte("A")), answers("x", false)},
		"it asks for ever":           {manyTimes(wantsBody(), mostFutile+2), fails(backend.BadHead)},
		"it flushes for ever":        {all(ok, chunk("x"), manyTimes(chunk(""), mostFutile+2)), breaks("x")},
		"nothing but flushes":        {manyTimes(chunk(""), mostFutile+2), fails(backend.BadHead)},
		"an empty body":              {all(ok, end(1)), func(o membertest.Outcome) bool { return o.Status == 200 && o.Length == 0 && o.Kept }},
		"a large body":               {all(ok, manyTimes(chunk(strings.Repeat("z", 8184)), 300), end(1)), answers(strings.Repeat("z", 8184*300), true)},
	} {
		if o := ask(t, get(), answering(c.says)); !c.want(o) {
			t.Errorf("%s: %v\n%.300s", name, o, o.Log)
		}
	}
}

func manyTimes(p []byte, n int) []byte {
	b := make([]byte, 0, n*len(p))
	for range n {
		b = append(b, p...)
	}
	return b
}

func TestSlowMember(t *testing.T) {
	membertest.Slow(t, "ajp", NewBackend(), readRequest, map[string]func(membertest.Outcome) bool{
		"":                                       func(o membertest.Outcome) bool { return o.Kind == backend.ReadTimeout },
		"AB\x00":                                 func(o membertest.Outcome) bool { return o.Kind == backend.ReadTimeout },
		string(head(200, "OK")):                  func(o membertest.Outcome) bool { return o.Kind == backend.BadHead },
		string(all(head(200, "OK"), chunk("x"))): func(o membertest.Outcome) bool { return o.Status == 200 && o.Body == "x" && o.Broken },
	})
}

// Of several Content-Type fields the last one counts (recorded from httpd).
func TestSeveralTypes(t *testing.T) {
	field := func(value string) string { return "\xa0\x01" + string(appendText(nil, value)) }
	head := packet("\x04\x00\xc8" + string(appendText(nil, "OK")) + "\x00\x03" + field("a/b") + string(appendText(appendText(nil, "X-A"), "1")) + field("c/d"))
	if o := ask(t, get(), answering(head, end(1))); o.Status != 200 || o.Fields != "X-A: 1\nContent-Type: c/d\n" {
		t.Error(o)
	}
}

// What the log says of packets that do not come, as httpd 2.4.71 does.
func TestLinesOfLostPackets(t *testing.T) {
	const noHead, cutHead = "AH01030: ajp_ilink_receive() can't receive header", "AH01032: ajp_ilink_receive() error while receiving message body of length 4"
	for name, c := range map[string]struct {
		says  []byte
		lines []string
	}{
		"nothing":            {nil, []string{noHead, "AH00992"}},
		"half a lead":        {[]byte("AB\x00"), []string{noHead, "AH00992"}},
		"half a packet":      {head(200, "OK")[:9], []string{cutHead, "AH00992"}},
		"nothing behind":     {head(200, "OK"), []string{noHead, "AH00992"}},
		"no mark":            {[]byte("XYZZ"), []string{"AH01080", "AH01031", "AH00992"}},
		"nothing in a body":  {all(head(200, "OK"), chunk("x")), []string{noHead, "AH00992", "AH00893"}},
		"half a chunk":       {all(head(200, "OK"), chunk("x"), chunk("xyz")[:8]), []string{cutHead, "AH00992", "AH00893"}},
		"no mark in a body":  {all(head(200, "OK"), chunk("x"), []byte("XYZZ")), []string{"AH01080", "AH01031", "AH00992", "AH00893"}},
		"an empty one there": {all(head(200, "OK"), chunk("x"), []byte("AB\x00\x00")), []string{"AH00993", "AH00893"}},
	} {
		o := ask(t, get(), func(conn net.Conn) {
			if readRequest(conn) {
				conn.Write(c.says)
			}
		})
		rest := o.Log
		for _, line := range c.lines {
			_, after, ok := strings.Cut(rest, line)
			if !ok {
				t.Errorf("%s: no %s in\n%s", name, line, o.Log)
			}
			rest = after
		}
		if strings.Count(o.Log, "AH") != len(c.lines) {
			t.Errorf("%s:\n%s", name, o.Log)
		}
	}
}

// stopping is a request's body that ends with an error.
type stopping struct {
	exchange.Body
	err error
}

func (b *stopping) Read(p []byte) (int, error) {
	n, err := b.Body.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

// Recorded from httpd 2.4.71: a client that leaves or stalls while the member asks for more of the body behind a head is told as
// such, with its port, and nothing is said of the member.
func TestClientStopsBehindAHead(t *testing.T) {
	for err, lines := range map[error]int{io.ErrUnexpectedEOF: 1, os.ErrDeadlineExceeded: 1, errors.New("no chunk"): 0} {
		x := membertest.Request("POST", "/x", strings.Repeat("x", 40000), 50000)
		x.Conn.RemoteText = "192.0.2.1:5000"
		x.Req.Body = &stopping{x.Req.Body, &exchange.BodyError{Status: 400, Err: err}}
		o := ask(t, x, func(c net.Conn) {
			if !readRequest(c) || !readRequest(c) {
				return
			}
			c.Write(all(head(200, "OK"), chunk("x")))
			for c.Write(wantsBody()); readRequest(c); c.Write(wantsBody()) {
			}
		})
		if !o.Broken || strings.Count(o.Log, "AH02822: dialog with client 192.0.2.1:5000 failed\n") != lines || strings.Count(o.Log, "AH") != lines {
			t.Errorf("%v: %v\n%s", err, o, o.Log)
		}
	}
}

// A ping that is not answered costs the connection, and one more is tried; the request was on neither.
func TestPing(t *testing.T) {
	for name, c := range map[string]struct {
		says  []byte
		want  membertest.Outcome
		tries int
	}{
		"answered":      {packet("\x09"), membertest.Outcome{Status: 200, Length: 0, Kept: true, Reason: "OK"}, 1},
		"in two packet": {packet("\x05\x01"), membertest.Outcome{Kind: backend.NoContinue}, 2},
		"no packet":     {[]byte("XXXX"), membertest.Outcome{Kind: backend.NoContinue}, 2},
		"silent":        {nil, membertest.Outcome{Kind: backend.NoContinue}, 2},
	} {
		tried := make(chan bool, 10)
		w := membertest.Worker(t, "ajp", func(s *balancer.WorkerSettings) {
			s.Ping.Set, s.Ping.V = true, 100*time.Millisecond
			if name == "answered" {
				s.Ping.V = 20 * time.Second
			}
		}, func(conn net.Conn) {
			tried <- true
			for {
				p, ok := readPacket(conn)
				if !ok {
					return
				}
				if p[0] == ping {
					conn.Write(c.says)
				} else {
					conn.Write(all(head(200, "OK"), end(1)))
				}
			}
		})
		o := membertest.Ask(NewBackend(), w, get())
		if o.Log = ""; fmt.Sprint(o) != fmt.Sprint(c.want) || len(tried) != c.tries {
			t.Errorf("%s: %v after %d connections", name, o, len(tried))
		}
	}
}

// Whatever a member does with its connection, the request comes to an end, and the connection is not used again.
func TestRudeMembers(t *testing.T) {
	membertest.Rude(t, "ajp", NewBackend(), readRequest, answer, "POST")
}
