package tlsbuf

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// pair is both ends of a connection that has shaken hands.
func pair(t *testing.T) (server, client *tls.Conn) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server = tls.Server(s, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	client = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	t.Cleanup(func() { s.Close(); c.Close() })
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return server, client
}

// holds is the sizes of a connection's buffers.
func holds(c *tls.Conn) int { return rawInput.of(c).Cap() + hand.of(c).Cap() }

// TestFieldsAreFound fails where another version of Go keeps its buffers elsewhere.
func TestFieldsAreFound(t *testing.T) {
	if !known {
		t.Fatalf("tls.Conn has not all of rawInput (%d), input (%d), hand (%d)", rawInput, input, hand)
	}
	if fieldOf[bytes.Buffer]("vers") >= 0 || fieldOf[bytes.Buffer]("none") >= 0 {
		t.Error("found a field of another type, or none")
	}
}

func TestOfOthersIsNothing(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	TakeBack(Of(a), Lend(Of(a)))
}

// TestIdleHoldsNothing: whatever came in before, a connection that idles holds no buffer, and reads on with one that
// is lent.
func TestIdleHoldsNothing(t *testing.T) {
	server, client := pair(t)
	for _, n := range []int{1, 100, 16 << 10, 50_000, 3} {
		sent := bytes.Repeat([]byte{byte(n)}, n)
		go client.Write(sent)
		b := Lend(Of(server))
		if b.Cap() > 0 && holds(server) > 0 {
			t.Errorf("%d bytes: both have a buffer", n)
		}
		got := make([]byte, n)
		if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("%d bytes: other ones came, or %v", n, err)
		}
		if holds(server) == 0 {
			t.Errorf("%d bytes came into no buffer", n)
		}
		TakeBack(Of(server), b)
		if h := holds(server); h > 0 || Holds(server) {
			t.Errorf("after %d bytes it holds %d", n, h)
		}
	}
}

// TestNothingIsLost: what was received, and not read, stays.
func TestNothingIsLost(t *testing.T) {
	server, client := pair(t)
	for _, text := range []string{"one, ", "two, ", "three"} { // three records
		if _, err := io.WriteString(client, text); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, 0, 20)
	for len(got) < 15 {
		b := Lend(Of(server))
		n, err := server.Read(got[len(got):min(cap(got), len(got)+2)])
		if err != nil {
			t.Fatal(err)
		}
		got = got[:len(got)+n]
		TakeBack(Of(server), b)
	}
	if string(got) != "one, two, three" {
		t.Errorf("read %q", got)
	}
}
