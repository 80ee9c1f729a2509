package tunnel

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"testing"
	"time"

	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/loop/looptest"
)

func selfSigned(t *testing.T) *tls.Config {
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
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, InsecureSkipVerify: true}
}

// secureEnd is a socket as an end with TLS; shake shakes hands.
func secureEnd(t *testing.T, task *loop.Task, c *net.TCPConn, shake func(net.Conn) *tls.Conn) End {
	fd := task.NewFd(dup(t, c))
	below := loop.NewConn(fd, task, c.LocalAddr(), c.RemoteAddr())
	s := shake(below)
	if err := s.Handshake(); err != nil {
		t.Error(err)
	}
	return End{Fd: fd, TLS: s, Below: below}
}

// secureJoined is both ends of a tunnel between TLS and TLS, or a plain member, in an event loop.
func secureJoined(t *testing.T, plainMember bool, o Options) (client, member net.Conn, moved chan Moved) {
	c, front := pair(t)
	back, m := pair(t)
	conf := selfSigned(t)
	moved = make(chan Moved, 1)
	go looptest.Do(t, func(task *loop.Task) {
		a := secureEnd(t, task, front, func(nc net.Conn) *tls.Conn { return tls.Server(nc, conf) })
		b := End{Fd: task.NewFd(dup(t, back))}
		if !plainMember {
			b.Fd.Close(task)
			b = secureEnd(t, task, back, func(nc net.Conn) *tls.Conn { return tls.Client(nc, conf) })
		}
		front.Close()
		back.Close()
		moved <- JoinInLoop(task, a, b, o)
		a.Fd.Close(task)
		b.Fd.Close(task)
	})
	sc := tls.Client(c, conf)
	sc.SetDeadline(time.Now().Add(30 * time.Second))
	if err := sc.Handshake(); err != nil {
		t.Fatal(err)
	}
	if plainMember {
		return sc, m, moved
	}
	sm := tls.Server(m, conf)
	sm.SetDeadline(time.Now().Add(30 * time.Second))
	return sc, sm, moved
}

// TestSecureEnds: what goes through TLS arrives, in both directions at once, in pieces of all sizes, and so do the ends.
func TestSecureEnds(t *testing.T) {
	data := make([]byte, 3<<20)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	for name, plainMember := range map[string]bool{"both": false, "the client's": true} {
		t.Run(name, func(t *testing.T) {
			client, member, moved := secureJoined(t, plainMember, Options{Idle: 20 * time.Second, FromClient: []byte("early"), FromMember: []byte("first")})
			for _, c := range []struct {
				to    net.Conn
				first string
			}{{member, "early"}, {client, "first"}} {
				p := make([]byte, len(c.first))
				if _, err := io.ReadFull(c.to, p); err != nil || string(p) != c.first {
					t.Fatalf("%q, %v", p, err)
				}
			}
			for _, n := range []int{1, 100, 16 << 10} { // and silence in between
				time.Sleep(5 * time.Millisecond)
				client.Write(data[:n])
				p := make([]byte, n)
				if _, err := io.ReadFull(member, p); err != nil || !bytes.Equal(p, data[:n]) {
					t.Fatalf("%d bytes: other ones came, or %v", n, err)
				}
			}
			failed := make(chan error, 4)
			send := func(to net.Conn) {
				_, err := to.Write(data)
				failed <- err
				failed <- to.(interface{ CloseWrite() error }).CloseWrite()
			}
			receive := func(from net.Conn) {
				if got, err := io.ReadAll(from); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			}
			go send(client)
			go send(member)
			receive(member)
			receive(client)
			for range cap(failed) {
				if err := <-failed; err != nil {
					t.Error(err)
				}
			}
			select {
			case m := <-moved:
				if n := int64(len(data)); m != (Moved{5 + 1 + 100 + 16<<10 + n, 5 + n}) {
					t.Errorf("moved %+v", m)
				}
			case <-time.After(20 * time.Second):
				t.Error("the tunnel does not end")
			}
		})
	}
}

func TestWhoReadsNothingOfTLS(t *testing.T) {
	t.Parallel()
	const idle = 1500 * time.Millisecond
	_, member, moved := secureJoined(t, false, Options{Idle: idle})
	endsAfter(t, member, moved, idle)
}

// TestSecureReaderThatStops: who reads no more holds up its own direction alone, until the time is over.
func TestSecureReaderThatStops(t *testing.T) {
	client, member, moved := secureJoined(t, false, Options{Idle: time.Second})
	go func() {
		for p := make([]byte, 64<<10); ; {
			if _, err := member.Write(p); err != nil {
				return
			}
		}
	}()
	time.Sleep(200 * time.Millisecond)
	io.WriteString(client, "still")
	p := make([]byte, 5)
	if _, err := io.ReadFull(member, p); err != nil || string(p) != "still" {
		t.Errorf("%q, %v", p, err)
	}
	select {
	case <-moved:
	case <-time.After(20 * time.Second):
		t.Fatal("the tunnel does not end")
	}
	member.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := member.Read(p); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the member sees %v", err)
	}
}
