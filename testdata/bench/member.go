package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// protocols are what members speak beside HTTP, and how one that answers 1 KiB reads a request and answers it. More
// requests may follow when answer reports so.
var protocols = map[string]func(r *bufio.Reader, w io.Writer) (more bool, err error){
	"ajp": answerAJP, "fcgi": answerFastCGI, "scgi": answerSCGI, "uwsgi": answerUwsgi,
}

// startMember runs this program as the member that speaks them: on a port, or on a unix socket, as each is mostly used.
func startMember(ctx context.Context, f facts) (*process, error) {
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := startProcess(f.Run, "member", own, "member", fmt.Sprintf("ajp=127.0.0.1:%d", f.AJP), fmt.Sprintf("scgi=127.0.0.1:%d", f.SCGI),
		"fcgi="+filepath.Join(f.Run, "fcgi.sock"), "uwsgi="+filepath.Join(f.Run, "uwsgi.sock"))
	if err != nil {
		return nil, err
	}
	return p, p.listens(ctx, f.AJP, f.SCGI)
}

// serveMember answers at places, "PROTOCOL=ADDRESS" or "PROTOCOL=PATH", until ctx ends.
func serveMember(ctx context.Context, places []string) error {
	failed := make(chan error)
	var open []net.Listener
	for _, p := range places {
		_, at, _ := strings.Cut(p, "=")
		network := "tcp"
		if filepath.IsAbs(at) {
			network = "unix"
		}
		var how net.ListenConfig
		how.SetMultipathTCP(false) // few members have it, and connections to them cost less
		l, err := how.Listen(ctx, network, at)
		if err == nil && network == "unix" {
			err = os.Chmod(at, 0o666) // servers may run as somebody else
		}
		if err != nil {
			return err
		}
		open = append(open, l)
	}
	for i, p := range places {
		name, _, _ := strings.Cut(p, "=")
		go func() { failed <- accept(open[i], protocols[name]) }()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

func accept(l net.Listener, answer func(*bufio.Reader, io.Writer) (bool, error)) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			for r := bufio.NewReader(c); ; {
				if more, err := answer(r, c); err != nil || !more {
					return
				}
			}
		}()
	}
}

var (
	kilobyte  = strings.Repeat("x", small)
	cgiAnswer = []byte("Content-Type: text/plain\r\n\r\n" + kilobyte)

	errProtocol = errors.New("that is not the protocol")
)

// answerFastCGI is FastCGI's (specification 1.0).
func answerFastCGI(r *bufio.Reader, w io.Writer) (more bool, err error) {
	const begin, stdin, keep = 1, 5, 1
	for {
		head, err := r.Peek(8)
		if err != nil {
			return false, err
		}
		if head[0] != 1 {
			return false, errProtocol
		}
		kind, n, padding := head[1], int(binary.BigEndian.Uint16(head[4:])), int(head[6])
		if kind == begin {
			body, err := r.Peek(11)
			if err != nil {
				return false, err
			}
			more = body[10]&keep != 0
		}
		if _, err := r.Discard(8 + n + padding); err != nil {
			return false, err
		}
		if kind == stdin && n == 0 {
			_, err := w.Write(fastCGIAnswer)
			return more, err
		}
	}
}

var fastCGIAnswer = func() []byte {
	const version, stdout, end = 1, 6, 3
	b := binary.BigEndian.AppendUint16([]byte{version, stdout, 0, 1}, uint16(len(cgiAnswer)))
	b = append(append(b, 0, 0), cgiAnswer...)
	return append(b, version, end, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}()

// answerAJP is AJP 1.3's.
func answerAJP(r *bufio.Reader, w io.Writer) (more bool, err error) {
	head, err := r.Peek(5)
	if err != nil {
		return false, err
	}
	if head[0] != 0x12 || head[1] != 0x34 || head[4] != 2 {
		return false, errProtocol
	}
	if _, err := r.Discard(4 + int(binary.BigEndian.Uint16(head[2:]))); err != nil {
		return false, err
	}
	_, err = w.Write(ajpAnswer)
	return true, err
}

var ajpAnswer = func() []byte {
	text := func(b []byte, s string) []byte {
		return append(append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...), 0)
	}
	packet := func(b, p []byte) []byte {
		return append(binary.BigEndian.AppendUint16(append(b, 'A', 'B'), uint16(len(p))), p...)
	}
	head := text([]byte{4, 0, 200}, "200")
	head = text(append(head, 0, 1, 0xa0, 1), "text/plain")
	b := packet(nil, head)
	b = packet(b, text([]byte{3}, kilobyte))
	return packet(b, []byte{5, 1})
}()

// answerSCGI is SCGI's.
func answerSCGI(r *bufio.Reader, w io.Writer) (more bool, err error) {
	size, err := r.ReadString(':')
	if err != nil {
		return false, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
	if err != nil {
		return false, errProtocol
	}
	if _, err := r.Discard(n + 1); err != nil {
		return false, err
	}
	_, err = w.Write(cgiAnswer)
	return false, err
}

// answerUwsgi is uwsgi's.
func answerUwsgi(r *bufio.Reader, w io.Writer) (more bool, err error) {
	head, err := r.Peek(4)
	if err != nil {
		return false, err
	}
	if head[0] != 0 || head[3] != 0 {
		return false, errProtocol
	}
	if _, err := r.Discard(4 + int(binary.LittleEndian.Uint16(head[1:]))); err != nil {
		return false, err
	}
	_, err = w.Write(uwsgiAnswer)
	return false, err
}

var uwsgiAnswer = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + strconv.Itoa(small) + "\r\n\r\n" + kilobyte)
