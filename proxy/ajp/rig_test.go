package ajp

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend/membertest"
	"balancerd/proxy/exchange"
)

// packet is one as containers send it.
func packet(payload string) []byte {
	b := append([]byte("AB"), byte(len(payload)>>8), byte(len(payload)))
	return append(b, payload...)
}

func head(status int, reason string, fields ...string) []byte {
	p := appendText(appendInt([]byte{sendHeaders}, status), reason)
	p = appendInt(p, len(fields)/2)
	for _, f := range fields {
		p = appendText(p, f)
	}
	return packet(string(p))
}

func chunk(text string) []byte {
	return packet(string(append(append(appendInt([]byte{bodyChunk}, len(text)), text...), 0)))
}

func end(keep byte) []byte      { return packet(string([]byte{endResponse, keep})) }
func wantsBody() []byte         { return packet("\x06\x1f\xfa") }
func all(list ...[]byte) []byte { return bytes.Join(list, nil) }

// readPacket is the payload of the server's next packet.
func readPacket(c net.Conn) ([]byte, bool) {
	var lead [4]byte
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.ReadFull(c, lead[:]); err != nil {
		return nil, false
	}
	p := make([]byte, binary.BigEndian.Uint16(lead[2:]))
	_, err := io.ReadFull(c, p)
	return p, err == nil
}

func readRequest(c net.Conn) bool {
	_, ok := readPacket(c)
	return ok
}

func patient(s *balancer.WorkerSettings) { s.Timeout.Set, s.Timeout.V = true, 20*time.Second }

func ask(t testing.TB, x *exchange.Exchange, script func(net.Conn)) membertest.Outcome {
	return membertest.Ask(NewBackend(), membertest.Worker(t, "ajp", patient, script), x)
}

func get() *exchange.Exchange { return membertest.Request("GET", "/x", "", 0) }
