package heartbeat

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
)

// listenAt has reports heard at an address, and no longer at the one before; nowhere if it is invalid. What fails is
// a line in the log, and nobody is heard. Under mu.
func (m *monitor) listenAt(at netip.AddrPort) {
	if m.conn != nil {
		if m.at == at {
			return
		}
		m.conn.Close()
		m.conn = nil
	}
	m.at = at
	if !at.IsValid() {
		return
	}
	c, err := listen(at)
	if err != nil {
		m.log.LogServer("heartmonitor", exchange.Crit, err, whatFailed(err))
		m.log.LogServer("heartmonitor", exchange.Crit, err, "AH02090: Unable to listen for connections!")
		return
	}
	m.log.LogServer("heartmonitor", exchange.Debug, nil, "AH02091: _heartmonitor_ listener started.")
	m.conn = c
	const task = "hearing what members report"
	recovery.Go(task, func() { recovery.Keep(task, func() { m.hear(c) }) })
}

// listen joins a group, or takes an address of this machine, which httpd cannot.
func listen(at netip.AddrPort) (*net.UDPConn, error) {
	a := net.UDPAddrFromAddrPort(at)
	if at.Addr().IsMulticast() {
		return net.ListenMulticastUDP("udp4", nil, a)
	}
	return net.ListenUDP("udp4", a)
}

// whatFailed is httpd's line for the call that failed.
func whatFailed(err error) string {
	var call *os.SyscallError
	errors.As(err, &call)
	switch {
	case call != nil && call.Syscall == "socket":
		return "AH02068: Failed to create listening socket."
	case call != nil && call.Syscall == "setsockopt":
		return "AH02072: Failed to join multicast group"
	}
	return "AH02071: Failed to bind on socket."
}

// Malformed datagrams are told of, a few in each second: anybody may send them.
const (
	complainEvery  = time.Second
	mostComplaints = 10
)

// hear takes in datagrams until the socket is closed.
func (m *monitor) hear(c *net.UDPConn) {
	var since time.Time
	told := 0
	buf := make([]byte, longestReport)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // of an answer that nobody wants; not of the socket
			time.Sleep(time.Millisecond)
			continue
		}
		now := time.Now()
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if r, ok := heard(string(buf[:n]), now); ok {
			m.report(from.Addr().String(), r)
			continue
		}
		if now.Sub(since) > complainEvery {
			since, told = now, 0
		}
		if told++; told <= mostComplaints {
			m.complain("AH02087: malformed message from " + from.String())
		}
	}
}

func (m *monitor) complain(message string) {
	m.mu.Lock()
	log := m.log
	m.mu.Unlock()
	log.LogServer("heartmonitor", exchange.Crit, nil, message)
}
