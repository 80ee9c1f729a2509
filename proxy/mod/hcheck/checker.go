package hcheck

import (
	"context"
	"sync"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
	"balancerd/proxy/site"
)

// checker checks members, over reloads. One configuration is checked at a time.
type checker struct {
	// Immutable.
	farm    *balancer.Farm
	members backend.Table
	calls   Calls
	kick    chan struct{} // somebody may be due earlier than was thought

	mu       sync.Mutex
	current  *generation // under mu; nil before the first configuration
	schedule schedule    // under mu
	running  int         // under mu: checks under way, of earlier configurations too
	looping  bool        // under mu: a goroutine looks who is due
	free     []chan job  // under mu: goroutines that wait for a check to make, the last one first
}

// job is one check.
type job struct {
	*target
	*member
}

// mostFree is how many goroutines wait for the next check: to make each one anew costs, and their stacks grow each time.
const mostFree = 32

// generation is what checks of one configuration have in common. Immutable but for targets.
type generation struct {
	hosts   map[string]*site.Host // by the name that members know their virtual host by
	context context.Context       // ends with the configuration
	end     context.CancelFunc
	word    string // "Threaded " in lines of the log

	// Under checker.mu.
	targets map[targetKey]*target
	servers map[*site.Host]*exchange.Server
}

type targetKey struct{ vhost, balancer string }

// target is what the members of one balancer have in common.
type target struct {
	*generation
	host   *site.Host
	url    string           // "balancer://x/"
	server *exchange.Server // whose log and limits hold
	set    *settings

	once sync.Once // what follows is found when it is needed first
	call backend.Call
	err  error
}

func newChecker(farm *balancer.Farm, members backend.Table, calls Calls) *checker {
	return &checker{farm: farm, members: members, calls: calls, kick: make(chan struct{}, 1)}
}

// begin takes up a configuration that came into force, in place of the one before: what is under way for that is
// broken off and counts for nothing.
func (k *checker) begin(st *site.Site) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current != nil {
		k.current.end()
	}
	k.current, k.schedule = nil, schedule{known: map[*balancer.Worker]*member{}}
	if !st.Config.Loaded("mod_proxy_hcheck.c") {
		return
	}
	g := &generation{hosts: map[string]*site.Host{}, targets: map[targetKey]*target{}, servers: map[*site.Host]*exchange.Server{}, word: "Threaded "}
	g.context, g.end = context.WithCancel(context.Background())
	for _, h := range st.Hosts {
		g.hosts[h.Server.ID] = h
	}
	if sizes.In(st.Config.Main).none {
		g.word = ""
	}
	k.current = g
	k.look(true)
}

// edited takes up what somebody has edited.
func (k *checker) edited() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current != nil {
		k.look(false)
	}
}

// look sees who is to be checked now. Under mu.
func (k *checker) look(begins bool) {
	all := map[*balancer.Worker]*target{}
	for name, list := range k.farm.Current().Groups() {
		for _, w := range list {
			if t := k.current.target(w.VHost(), name); t != nil {
				all[w] = t
			}
		}
	}
	k.schedule.update(time.Now(), all, begins)
	k.wake()
}

// target finds what the members of a balancer have in common; nil for those of a virtual host that is gone.
func (g *generation) target(vhost, balancer string) *target {
	key := targetKey{vhost, balancer}
	if t := g.targets[key]; t != nil {
		return t
	}
	h := g.hosts[vhost]
	if h == nil {
		return nil
	}
	if g.servers[h] == nil {
		g.servers[h] = quiet(h.Server)
	}
	t := &target{generation: g, host: h, url: balancer + "/", server: g.servers[h], set: inForce(h.Scope)}
	g.targets[key] = t
	return t
}

// quiet is a server whose log hears of a check what this package says, and not what the protocols say of
// answers.
func quiet(s *exchange.Server) *exchange.Server {
	q := *s
	levels := exchange.Levels{All: exchange.Warn, By: map[string]exchange.Level{}}
	if s.Levels != nil {
		levels.All = s.Levels.All
		for module, level := range s.Levels.By {
			levels.By[module] = level
		}
	}
	for _, module := range [...]string{"proxy_http", "proxy_http2"} {
		levels.By[module] = exchange.Emerg
	}
	q.Levels = &levels
	return &q
}

// wake has the loop look at the queue, and begins it if there is none. Under mu.
func (k *checker) wake() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
	if len(k.schedule.queue) > 0 && !k.looping {
		k.looping = true
		recovery.Go("checking members", func() { recovery.Keep("checking members", k.loop) })
	}
}

// How many checks begin at a time, and how far apart these times are: a server that was held up, so that all its members
// are due at once, asks them one after the other.
const (
	pace      = 2 * time.Millisecond
	leastPace = 16  // checks
	paceShare = 256 // of all members, the part that may begin at a time
)

// loop begins checks as they are due, until nobody waits for one.
func (k *checker) loop() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait, over := k.start(time.Now())
		if over {
			return
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-k.kick:
		}
	}
}

// forever is longer than anybody waits for a check.
const forever = time.Hour

// start begins the checks that are due, and returns after how long to look again. over: nobody waits, and none is
// under way.
func (k *checker) start(now time.Time) (wait time.Duration, over bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	room := backend.ProbeRoom() - k.running
	for most := max(leastPace, len(k.schedule.known)/paceShare); most > 0 && room > 0; most-- {
		m := k.schedule.next(now)
		if m == nil {
			break
		}
		room--
		k.running++
		k.hand(job{m.target, m})
	}
	wait, ok := k.schedule.wait(now)
	switch {
	case !ok && k.running == 0:
		k.looping = false
		for _, c := range k.free {
			close(c)
		}
		k.free = nil
		return 0, true
	case !ok || room <= 0:
		return forever, false // the end of a check wakes
	}
	return max(wait, pace), false
}

// hand has a check made: by a goroutine that waits for one, or else a new one. Under mu.
func (k *checker) hand(j job) {
	if n := len(k.free) - 1; n >= 0 {
		k.free[n] <- j
		k.free = k.free[:n]
		return
	}
	recovery.Go("checking a member", func() { k.work(j) })
}

// work makes a check, and those that are handed to it then.
func (k *checker) work(j job) {
	more := make(chan job, 1)
	for ok := true; ok; j, ok = <-more {
		k.run(j.target, j.member)
		j = job{}
		k.mu.Lock()
		if !k.looping || len(k.free) == mostFree {
			close(more)
		} else {
			k.free = append(k.free, more)
		}
		k.mu.Unlock()
	}
}

// run makes one check, and counts its result if the configuration that asked for it still holds.
func (k *checker) run(t *target, m *member) {
	defer k.ended(t, m)
	err := k.check(t, m)
	if t.context.Err() != nil || starved(err) {
		return
	}
	t.tell(m, m.HealthResult(err == nil, time.Now()))
}

// ended lets a member wait for its next check.
func (k *checker) ended(t *target, m *member) {
	k.mu.Lock()
	defer k.mu.Unlock()
	full := k.running >= backend.ProbeRoom()
	k.running--
	if t.generation == k.current {
		k.schedule.over(m, time.Now())
	}
	if full || m.at == 0 || k.running == 0 || !k.looping {
		k.wake()
	}
}
