package fcgi

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/backend/membertest"
	"balancerd/proxy/exchange"
)

// record is a record as members send it.
func record(kind byte, content string, change ...func([]byte)) []byte {
	b := append(appendLead(nil, kind, len(content)), content...)
	for _, f := range change {
		f(b)
	}
	return b
}

func out(text string) []byte    { return record(stdout, text) }
func errout(text string) []byte { return record(stderr, text) }
func end() []byte               { return append(out(""), record(endRequest, "\x00\x00\x00\x00\x00\x00\x00\x00")...) }
func all(list ...[]byte) []byte { return bytes.Join(list, nil) }

// readRequest reads records up to the end of STDIN.
func readRequest(c net.Conn) bool {
	_, _, ok := readAll(c)
	return ok
}

// readAll is what PARAMS and STDIN hold.
func readAll(c net.Conn) (vars map[string]string, body []byte, ok bool) {
	var lead [8]byte
	var text []byte
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		if _, err := io.ReadFull(c, lead[:]); err != nil {
			return nil, nil, false
		}
		p := make([]byte, binary.BigEndian.Uint16(lead[4:]))
		if _, err := io.ReadFull(c, p); err != nil {
			return nil, nil, false
		}
		switch {
		case lead[1] == params:
			text = append(text, p...)
		case lead[1] == stdin && len(p) == 0:
			return pairs(text), body, true
		case lead[1] == stdin:
			body = append(body, p...)
		}
	}
}

func pairs(p []byte) map[string]string {
	vars := map[string]string{}
	size := func() int {
		n := int(p[0])
		if n < 128 {
			p = p[1:]
			return n
		}
		n = int(binary.BigEndian.Uint32(p) &^ (1 << 31))
		p = p[4:]
		return n
	}
	for len(p) > 0 {
		n, v := size(), 0
		v = size()
		vars[string(p[:n])] = string(p[n : n+v])
		p = p[n+v:]
	}
	return vars
}

func keeping(s *balancer.WorkerSettings) {
	s.DisableReuse.Set, s.DisableReuse.V = true, false
	s.Timeout.Set, s.Timeout.V = true, 20*time.Second
}

// ask carries a request to a member that runs a script.
func ask(t testing.TB, x *exchange.Exchange, script func(net.Conn)) membertest.Outcome {
	return membertest.Ask(NewBackend(), membertest.Worker(t, "fcgi", keeping, script), x)
}

func get() *exchange.Exchange { return membertest.Request("GET", "/x", "", 0) }

var _ backend.Codec = (*codec)(nil)
