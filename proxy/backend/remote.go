package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// Remote is another proxy on the way to members (ProxyRemote). One value stands for one line of the configuration:
// pooled connections are kept apart by its identity.
type Remote struct {
	Host          string // without the brackets of IPv6
	Port          uint16
	Authorization string // "Basic …", for the remote; "" for none

	addrs addressCache
}

// Authority is the remote as messages name it.
func (r *Remote) Authority() string { return net.JoinHostPort(r.Host, strconv.Itoa(int(r.Port))) }

// connect opens a connection to the remote; towards a member in TLS, a tunnel through it to the member (httpd:
// proxy_util.c ap_proxy_connect_backend). Its errors are *Failures.
func (r *Remote) connect(ctx context.Context, d *dialer, x *exchange.Exchange, call *Call, to target) (net.Conn, error) {
	patient, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	set := balancer.NewWorkerSettings()
	list, err := r.addrs.find(patient, r.Host, &set, true)
	by := target{scheme: to.scheme, host: r.Host, port: r.Port}
	if err != nil {
		return nil, unreached(ctx, NoRemote, err, by)
	}
	s, _, err := d.reachAny(ctx, x, call, by, list)
	if err != nil {
		return nil, unreached(ctx, Refused, err, to)
	}
	nc := s.nc
	if !Secure(to.scheme) {
		return nc, nil
	}
	nc.SetDeadline(time.Now().Add(d.timeout))
	if err := r.tunnel(nc, x, to); err != nil {
		at := nc.RemoteAddr().String()
		nc.Close()
		x.LogServer("proxy", call.failure(), err, x.Arena.Join("AH00958: ", call.function(to.scheme), ": attempt to connect to ", at,
			" via http CONNECT through ", at, " (", r.Host, ":", x.Arena.Int(int64(r.Port)), ") failed"))
		return nil, unreached(ctx, Refused, err, to)
	}
	nc.SetDeadline(time.Time{})
	return nc, nil
}

// headMost is how long a remote's answer to CONNECT may be.
const headMost = 8 << 10

// tunnel asks the remote for one to the member. No byte behind the answer is read (httpd: proxy_util.c
// send_http_connect). Anything but 200 is a refusal.
func (r *Remote) tunnel(nc net.Conn, x *exchange.Exchange, to target) error {
	if err := r.ask(nc, x, to); err != nil {
		return err
	}
	head, err := readHead(nc)
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(head, "\n")
	words := strings.Fields(line)
	if len(words) < 2 || !strings.HasPrefix(words[0], "HTTP/") {
		return errors.New("the remote proxy did not answer in HTTP")
	}
	if words[1] != "200" {
		x.LogServer("proxy", exchange.Error, nil, x.Arena.Join("AH00950: send_http_connect: the remote proxy returned code is '", words[1], "'"))
		return errors.New("the remote proxy refused")
	}
	return nil
}

// ask sends the request for a tunnel.
func (r *Remote) ask(nc net.Conn, x *exchange.Exchange, to target) error {
	host := to.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	b := fmt.Appendf(nil, "CONNECT %s:%d HTTP/1.0\r\n", host, to.port)
	if r.Authorization != "" {
		b = append(b, "Proxy-Authorization: "+r.Authorization+"\r\n"...)
	}
	_, err := nc.Write(append(b, "Proxy-agent: "+x.Server.Token+"\r\n\r\n"...))
	return err
}

// readHead reads up to an empty line, byte by byte: what follows is the member's.
func readHead(nc net.Conn) (string, error) {
	head := make([]byte, 0, 256)
	for len(head) < headMost {
		n := len(head)
		if _, err := nc.Read(head[n : n+1]); err != nil {
			return "", err
		}
		head = head[:n+1]
		if bytes.HasSuffix(head, []byte("\r\n\r\n")) || bytes.HasSuffix(head, []byte("\n\n")) {
			return string(head), nil
		}
		if len(head) == cap(head) {
			head = append(head, 0)[:n+1]
		}
	}
	return "", errors.New("the remote proxy's answer is too long")
}
