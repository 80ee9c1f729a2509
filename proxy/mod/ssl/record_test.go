package ssl

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"
)

// recorded is a connection that keeps what came in.
type recorded struct {
	net.Conn
	in []byte
}

func (r *recorded) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.in = append(r.in, p[:n]...)
	return n, err
}

// sizes is how long the records with data are that came in.
func (r *recorded) sizes() (list []int) {
	const head, data = 5, 23
	for p := r.in; len(p) >= head; {
		n := int(binary.BigEndian.Uint16(p[3:]))
		if p[0] == data {
			list = append(list, n)
		}
		p = p[min(len(p), head+n):]
	}
	return list
}

// TestRecordsAreFull: an answer goes in as few records as there can be, from the first byte of a connection on.
func TestRecordsAreFull(t *testing.T) {
	a := newAuthority(t, "CA")
	a.leaf("site")
	r := newRig(t, a, "ServerName site\nListen PORT\n<VirtualHost *:PORT>\nServerName site\n"+engine+"</VirtualHost>\n")
	nc, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	rec := &recorded{Conn: nc}
	c := tls.Client(rec, a.client(""))
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	before := len(rec.sizes())
	io.WriteString(c, "GET /long HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n")
	if _, err := io.ReadAll(c); err != nil {
		t.Fatal(err)
	}
	got := rec.sizes()[before:]
	if !slices.ContainsFunc(got, func(n int) bool { return n > 16<<10 }) || len(got) > 9 {
		t.Errorf("100,000 bytes came in records of %d", got)
	}
}
