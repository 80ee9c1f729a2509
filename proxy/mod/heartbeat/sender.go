package heartbeat

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
	"balancerd/proxy/site"
	"balancerd/proxy/ticker"
)

// sending is what the main server says of mod_heartbeat and mod_watchdog.
type sending struct {
	to    netip.AddrPort // invalid: nobody is told
	every time.Duration  // 0: one second
}

var senders = directive.NewKey[sending]("heartbeat", func(outer, inner sending) sending { return inner })

// Load is how many workers, in httpd's sense, are idle and busy.
type Load func() (ready, busy int)

// SenderModule is mod_heartbeat: it tells what load says.
func SenderModule(load Load) site.Module {
	s := &sender{load: load}
	open := func(c *directive.Config, st *site.Site) (site.Builder, error) {
		set := sending{}
		if c.Loaded("mod_heartbeat.c") {
			set = *senders.In(c.Main)
		}
		if set.every == 0 {
			set.every = time.Second
		}
		st.OnCommit(func() { s.begin(set, st) })
		return nil, nil
	}
	return site.Module{Name: "heartbeat", Open: open, Table: directive.Table{
		{Name: "HeartbeatAddress", Set: setAddress, Help: "to whom is reported how loaded this server is"},
	}}
}

// WatchdogModule is mod_watchdog, as far as it is heard of: how often SenderModule reports.
func WatchdogModule() site.Module {
	return site.Module{Name: "watchdog", Table: directive.Table{
		{Name: "WatchdogInterval", Set: setInterval, Help: "how often HeartbeatAddress is told; 1 s"},
	}}
}

func setAddress(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	m := senders.In(s.Config.Main)
	if m.to.IsValid() {
		return errors.New("HeartbeatAddress: " + errTwice.Error())
	}
	to, err := addressOf(a.Words[0])
	if err != nil {
		return errors.New("HeartbeatAddress: " + map[error]string{
			errAddress: "Unable to parse address.", errNoHost: "No host provided in address",
			errNoPort: "No port provided in address", errNoName: "apr_sockaddr_info_get failed.",
		}[err])
	}
	m.to = to
	return nil
}

// shortestInterval is httpd's AP_WD_TM_SLICE.
const shortestInterval = 100 * time.Millisecond

func setInterval(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	d, err := directive.Duration(a.Words[0], time.Second)
	switch {
	case err != nil:
		return errors.New("Unparse-able WatchdogInterval setting")
	case d < shortestInterval:
		return errors.New("Invalid WatchdogInterval: minimal value 100ms")
	}
	senders.In(s.Config.Main).every = d
	return nil
}

// sender tells how loaded this server is, over reloads.
type sender struct {
	load Load // immutable

	mu   sync.Mutex
	tick *ticker.Ticker // of the goroutine that tells; nil: nobody is told. Under mu
}

func (s *sender) begin(set sending, st *site.Site) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tick != nil {
		s.tick.Close()
		s.tick = nil
	}
	if !set.to.IsValid() {
		return
	}
	tick := ticker.New(set.every)
	s.tick = tick
	log := &exchange.Exchange{Server: st.Hosts[0].Server}
	const task = "reporting the load"
	recovery.Go(task, func() {
		recovery.Keep(task, func() { s.tell(set.to, log, tick) })
	})
}

// tell sends a report at each tick, until that is closed. What fails is told of when it is another failure than the last time.
func (s *sender) tell(to netip.AddrPort, log *exchange.Exchange, tick *ticker.Ticker) {
	told := ""
	for tick.Wait() {
		now := ""
		if err := s.send(to); err != nil {
			if now = err.Error(); now != told {
				log.LogServer("heartbeat", exchange.Warn, err, "AH02099: Heartbeat: apr_socket_sendto failed")
			}
		}
		told = now
	}
}

// send sends one report, by a socket of its own as httpd does: the way to the other side may change.
func (s *sender) send(to netip.AddrPort) error {
	c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return err
	}
	defer c.Close()
	ready, busy := s.load()
	_, err = c.Write([]byte("v=1&ready=" + strconv.Itoa(ready) + "&busy=" + strconv.Itoa(busy)))
	return err
}
