package heartbeat

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/balancer/method"
	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
	"balancerd/proxy/site"
	"balancerd/proxy/ticker"
)

// monitoring is what the main server says of mod_heartmonitor.
type monitoring struct {
	listen  netip.AddrPort // invalid: HeartbeatListen is not there
	servers directive.Opt[int]
}

var monitors = directive.NewKey[monitoring]("heartmonitor", func(outer, inner monitoring) monitoring { return inner })

// defaultServers is HeartbeatMaxServers where it is not set.
const defaultServers = 10

// usesTable reports whether reports go into memory, and not into a file.
func usesTable(c *directive.Config) bool {
	return c.Loaded("mod_heartmonitor.c") && monitors.In(c.Main).servers.Or(defaultServers) > 0
}

// MonitorModule is mod_heartmonitor, whose reports m picks by.
func MonitorModule(m *method.Heartbeat) site.Module {
	mon := &monitor{method: m}
	open := func(c *directive.Config, st *site.Site) (site.Builder, error) {
		if !c.Loaded("mod_heartmonitor.c") {
			st.OnCommit(func() { mon.begin(nil, st) })
			return nil, nil
		}
		set := *monitors.In(c.Main)
		st.OnCommit(func() { mon.begin(&set, st) })
		h := exchange.HandlerFunc(func(_ context.Context, x *exchange.Exchange) error { return mon.serve(x, set.listen.IsValid()) })
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor("heartbeat", h)
			return nil
		}, nil
	}
	return site.Module{Name: "heartmonitor", Open: open, Reads: []string{}, Table: directive.Table{
		{Name: "HeartbeatListen", Set: setListen, Help: "the address at which members' reports are heard"},
		{Name: "HeartbeatMaxServers", Set: setMaxServers, Help: "how many members' reports are kept in memory; 0: in the file HeartbeatStorage"},
	}}
}

var errTwice = errors.New("May only be specified once.")

func setListen(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	m := monitors.In(s.Config.Main)
	if m.listen.IsValid() {
		return errors.New("HeartbeatListen: " + errTwice.Error())
	}
	at, err := addressOf(a.Words[0])
	if err != nil {
		return errors.New("HeartbeatListen: " + map[error]string{
			errAddress: "Unable to parse multicast address.", errNoHost: "No host provided in multicast address",
			errNoPort: "No port provided in multicast address", errNoName: "apr_sockaddr_info_get failed on multicast address",
		}[err])
	}
	m.listen = at
	return nil
}

func setMaxServers(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	n := directive.Atoi(a.Words[0])
	if n != 0 && n < defaultServers {
		return errors.New("HeartbeatMaxServers: Should be 0 for file storage, or greater or equal than 10 for slotmem")
	}
	monitors.In(s.Config.Main).servers = directive.Some(n)
	return nil
}

// monitor keeps what members report, over reloads.
type monitor struct {
	method *method.Heartbeat // immutable

	mu      sync.Mutex
	beats   *method.Beats // under mu, as all below; nil before the first report can come
	room    int           // of beats
	storage string        // the file; "" with a table in memory
	at      netip.AddrPort
	conn    *net.UDPConn   // that listens at at; nil: nobody listens
	tick    *ticker.Ticker // of the goroutine that writes the file; nil without one
	log     *exchange.Exchange
	told    error // why the file could not be written, as the log knows
}

// begin takes up a configuration that came into force; set is nil for one without the module. Whoever listened at the same address goes on, and
// what was reported is kept, unless the room for it is another.
func (m *monitor) begin(set *monitoring, st *site.Site) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tick != nil {
		m.tick.Close()
		m.tick = nil
	}
	m.log = &exchange.Exchange{Server: st.Hosts[0].Server}
	before := m.storage
	m.storage = ""
	if set == nil {
		m.method.SetTable(nil)
		m.listenAt(netip.AddrPort{})
		return
	}
	room := set.servers.Or(defaultServers)
	if room == 0 {
		m.storage = storageOf(st.Config)
		room = mostStored
	}
	fresh := m.beats == nil || m.room != room
	if fresh {
		m.beats, m.room = method.NewBeats(room), room
	}
	if m.storage == "" {
		m.method.SetTable(m.beats)
	} else {
		m.method.SetTable(nil)
		if fresh || m.storage != before { // else the file is older than what was heard since
			readBack(m.storage, m.beats, time.Now())
		}
	}
	m.listenAt(set.listen)
	if m.storage != "" && m.conn != nil {
		m.writeNowAndThen()
	}
}

// storeEvery is how often the file is written, as long as somebody may report (httpd: HM_UPDATE_SEC).
const storeEvery = 5 * time.Second

// writeNowAndThen writes the file each few seconds, until m.tick is closed. Under mu.
func (m *monitor) writeNowAndThen() {
	tick := ticker.New(storeEvery)
	m.tick = tick
	const task = "writing what members report"
	recovery.Go(task, func() {
		recovery.Keep(task, func() {
			for tick.Wait() {
				m.store(tick)
			}
		})
	})
}

// store writes the file. tick is nil, or what had it written: nothing is, if another configuration came meanwhile.
func (m *monitor) store(tick *ticker.Ticker) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.storage == "" || tick != nil && tick != m.tick {
		return
	}
	now := time.Now()
	err := write(m.storage, m.beats.Reports(now), now)
	if err != nil && (m.told == nil || m.told.Error() != err.Error()) {
		m.log.LogServer("heartmonitor", exchange.Crit, errors.Unwrap(err), withoutCause(err))
	}
	m.told = err
}

// withoutCause is an error's text without its cause, which the log prints in front.
func withoutCause(err error) string {
	text := err.Error()
	if cause := errors.Unwrap(err); cause != nil {
		text = text[:len(text)-len(": "+cause.Error())]
	}
	return text
}

// report takes in what a server says.
func (m *monitor) report(key string, r method.Report) {
	m.mu.Lock()
	b := m.beats
	m.mu.Unlock()
	if b != nil {
		b.Put(key, r)
	}
}
