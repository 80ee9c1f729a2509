package backend

import (
	"balancerd/proxy/exchange"
	"balancerd/proxy/tunnel"
)

// tunnelEnd is a stream as the member's side of a tunnel.
type tunnelEnd SerialStream

var _ exchange.LoopTunnel = (*tunnelEnd)(nil)

// JoinsInLoop is exchange.LoopTunnel's.
func (t *tunnelEnd) JoinsInLoop() bool { return t.conn.watched() }

// Join copies both ways until the tunnel is over. What the member sent behind its head comes first.
func (t *tunnelEnd) Join(client exchange.Stream) {
	s := (*SerialStream)(t)
	c := s.conn
	sent, read := s.codec.Counted(Traffic{Sent: c.Sent(), SentBody: s.Body.out, Received: s.received, ReceivedBody: s.bodyRead})
	s.Worker.AddTraffic(sent, read)
	var ending tunnel.Ending
	o := tunnel.Options{Idle: s.Call.Idle, Whole: !s.Call.HalfClose, FromMember: s.buf[s.r:s.w], Ending: &ending}
	if p, ok := client.(exchange.Preread); ok {
		o.FromClient = p.TakePreread()
	}
	if w, ok := client.(exchange.Cuttable); ok {
		o.Cut = w.WhenCut
	}
	log := tunnelLog{s.X, s.X.Res.Header.Get("Upgrade")}
	s.X.Log("proxy_http", exchange.Debug, nil, s.X.Arena.Join("AH10239: HTTP: tunneling protocol ", log.protocol))
	log.begins(o.Idle)
	if !c.joinInLoop(client, o) {
		tunnel.Join(client, c.Stream(), o)
	}
	log.ended(&ending)
	s.clientGone()
	s.tellOver(Upgrades, nil)
	c.Release(false)
	s.conn = nil
}

// Close gives the member's side up.
func (t *tunnelEnd) Close() error { return (*SerialStream)(t).Close() }
