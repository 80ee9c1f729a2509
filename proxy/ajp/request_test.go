package ajp

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/backend/membertest"
	"balancerd/proxy/exchange"
)

// forwarded is the packet of the request below, byte by byte, as ajp_marshal_into_msgb orders it.
const forwarded = "020200" + "08485454502f312e3100" + "00022f7800" + "00093139322e302e322e3100" + "ffff" + "000b636c69656e742e7465737400" + "0050" + "00" +
	"0002" + "a00b000b636c69656e742e7465737400" + "0003582d4100000131" + "00" +
	"0c0001730005" + "0001" + "7100" + "0a000f414a505f52454d4f54455f504f52540000043530303000" + "0a000e414a505f4c4f43414c5f414444520000093139322e302e322e3200" +
	"0a000372656700000265750" + "0ff"

func TestForwardRequest(t *testing.T) {
	x := get()
	x.Req.Header.Add("X-A", "1")
	x.Req.Header.Add("Upgrade", "h2c")
	x.Req.Query, x.Req.HasQuery = "q", true
	x.Env.Set("AJP_reg", "eu")
	x.Env.Set("OTHER", "no")
	read := make(chan []byte, 1)
	w := membertest.Worker(t, "ajp", func(s *balancer.WorkerSettings) { s.Secret = "s" }, func(c net.Conn) {
		p, _ := readPacket(c)
		read <- p
		c.Write(all(head(200, "OK"), end(1)))
	})
	if o := membertest.Ask(NewBackend(), w, x); o.Status != 200 {
		t.Fatal(o)
	}
	got := <-read
	if fmt.Sprintf("%x", got) != forwarded {
		t.Errorf("%x\n%s", got, forwarded)
	}
}

// What the log would say of a packet that is full is made only then.
func TestAttributeThatFits(t *testing.T) {
	name, value := strings.Repeat("n", 100), strings.Repeat("v", 100)
	a := attributes{b: make([]byte, 0, 1000), size: 500}
	if n := testing.AllocsPerRun(100, func() {
		a.b = a.b[:0]
		a.named(name, value)
		a.named(name, value)
	}); n != 0 || a.full != "" {
		t.Errorf("%v allocations, full: %q", n, a.full)
	}
	if a.named(name, value); a.full != "AH00981: ajp_marshal_into_msgb: Error appending attribute "+name+"="+value {
		t.Errorf("full: %q", a.full)
	}
	was := len(a.b)
	a.named(name, "")
	if a.put(attributeUser, "u", "another"); len(a.b) != was || a.full == "another" {
		t.Errorf("%d bytes behind what does not fit, full: %q", len(a.b)-was, a.full)
	}
}

// bodyOf is what a container gets that asks for all of a body, and the sizes of its packets.
func bodyOf(t *testing.T, x *exchange.Exchange, unasked bool) (body string, sizes []int) {
	t.Helper()
	type request struct {
		body  string
		sizes []int
	}
	read := make(chan request, 1)
	o := ask(t, x, func(c net.Conn) {
		readRequest(c)
		var body string
		var sizes []int
		for first := true; ; first = false {
			if !first || !unasked {
				c.Write(wantsBody())
			}
			p, ok := readPacket(c)
			if !ok {
				return
			}
			if sizes = append(sizes, len(p)); len(p) == 2 {
				break
			}
			body += string(p[2:])
		}
		read <- request{body, sizes}
		c.Write(all(head(200, "OK"), end(1)))
	})
	if o.Status != 200 || !o.Kept {
		t.Fatal(o, o.Log)
	}
	r := <-read
	return r.body, r.sizes
}

func TestBodies(t *testing.T) {
	for _, n := range []int{1, 8186, 8187, 16304, 16372, 100000} {
		text := strings.Repeat("b", n)
		for _, length := range []int64{int64(n), -1} {
			body, sizes := bodyOf(t, membertest.Request("POST", "/x", text, length), length > 0)
			if body != text {
				t.Errorf("%d bytes of length %d: %d", n, length, len(body))
			}
			for i, s := range sizes[:len(sizes)-1] {
				if want := min(8188, n-8186*i+2); s != want {
					t.Errorf("%d bytes: packet %d has %d, want %d", n, i, s, want)
				}
			}
		}
	}
}

// A long body takes more packets than may bring nothing.
func TestManyPieces(t *testing.T) {
	text := strings.Repeat("b", 8186*(mostFutile+10))
	got := make(chan int, 1)
	o := ask(t, membertest.Request("PUT", "/x", text, -1), func(c net.Conn) {
		readRequest(c)
		n := 0
		for {
			c.Write(wantsBody())
			if p, ok := readPacket(c); !ok || len(p) == 2 {
				break
			} else {
				n += len(p) - 2
			}
		}
		got <- n
		c.Write(all(head(200, "OK"), end(1)))
	})
	if n := <-got; o.Status != 200 || n != len(text) {
		t.Error(o, n)
	}
}

// A container asks for a body that the request does not have, and gets an empty packet each time.
func TestNoBodyIsAnswered(t *testing.T) {
	got := make(chan int, 2)
	o := ask(t, get(), func(c net.Conn) {
		readRequest(c)
		for range 2 {
			c.Write(wantsBody())
			p, ok := readPacket(c)
			if !ok {
				return
			}
			got <- len(p)
		}
		c.Write(all(head(200, "OK"), chunk("x"), wantsBody()))
		readPacket(c)
		c.Write(end(1))
	})
	if o.Status != 200 || o.Body != "x" || !o.Kept || len(got) != 2 || <-got != 2 || <-got != 2 {
		t.Error(o, len(got))
	}
}

func TestPacketSizes(t *testing.T) {
	for buffer, want := range map[int]int{0: 8192, 1024: 8192, 8192: 8192, 8193: 9216, 20000: 20480, 65536: 65536, 1 << 20: 65536} {
		if got := packetSize(buffer); got != want {
			t.Errorf("%d: %d, want %d", buffer, got, want)
		}
	}
	x := get()
	x.Req.Header.Add("X-Long", strings.Repeat("v", 8200))
	if o := ask(t, x, answering(all(head(200, "OK"), end(1)))); o.Status != 400 || !strings.Contains(o.Log, "AH00971") || !strings.Contains(o.Log, "AH00868") {
		t.Error(o, o.Log)
	}
}

// A packet is full at each byte of a request sooner or later: none is sent that is longer than it may be.
func TestFullPackets(t *testing.T) {
	for n := 7700; n < 8192; n++ {
		x := get()
		x.Req.Header.Add("X-Long", strings.Repeat("v", n))
		x.User, x.AuthType, x.Req.Query, x.Req.HasQuery = "joe", "Basic", "query", true
		x.Req.Method = "PATCH"
		x.Env.Set("AJP_a", "b")
		c := codecFor(x)
		b, err := c.AppendHead(nil)
		if (err == nil) != (len(b) <= 8192) {
			t.Fatalf("a field of %d bytes: a packet of %d, %v", n, len(b), err)
		}
	}
}

// What a document that takes an answer's place is asked with: no field says that a body comes, whose end was read before.
func TestSpentBody(t *testing.T) {
	for _, length := range []int64{3, -1} {
		x := membertest.Request("POST", "/x", "abc", length)
		x.SpendBody()
		x.Req.Method, x.Out.Method, x.Out.Length, x.Out.HasBody = "GET", "GET", 0, false
		got := make(chan []byte, 1)
		if o := ask(t, x, func(c net.Conn) {
			p, _ := readPacket(c)
			got <- p
			c.Write(all(head(200, "OK"), chunk("b"), end(1)))
		}); o.Status != 200 || o.Body != "b" {
			t.Fatal(o)
		}
		if p := <-got; bytes.Contains(p, []byte{0xA0, 0x08}) || bytes.Contains(p, []byte("Transfer-Encoding")) || !bytes.Contains(p, []byte("client.test")) {
			t.Errorf("%d: %q", length, p)
		}
	}
}
