package balancer

import (
	"sync/atomic"
	"time"
)

// Worker is an origin server: a member of a balancer, or the worker of a plain ProxyPass. It lives
// on over reloads as long as the configuration names it, and its connections with it.
type Worker struct {
	// Immutable.
	addr   Address
	vhost  string
	group  *group // whose lock guards it; a plain worker has one of its own
	member bool   // of a balancer

	// Atomic.
	settings atomic.Pointer[WorkerSettings] // written under group.mu
	asked    atomic.Bool                    // somebody wants its health check now
	attached atomic.Pointer[[]attachment]

	_ [64]byte // elections write below; that must not slow down readers of the above

	// Under group.mu; status may be read without.
	status    atomic.Uint32
	lbset     int32
	factor    int64 // lbfactor
	load      int64 // lbstatus, but for what the group's index counts; see lbstatus
	class, at int32 // place in the index
	elected   uint64
	retry     time.Duration
	route     string
	errorTime time.Time // zero: none
	retries   int
	passes    int     // health checks passed since it failed; httpd: pcount
	fails     int     // health checks failed while it was usable; httpd: fcount
	searched  uint64  // the search for a route that last followed its redirect
	added     bool    // by the manager, not by the configuration
	share     share   // of what the group's index counts
	row       *Row    // in Memory; nil without one
	values    *values // of settings, for records; nil: to be made

	_ [64]byte // requests write below, without the lock

	// Atomic.
	busy counter
	sent atomic.Int64 // httpd's transferred
	read atomic.Int64
	mark atomic.Pointer[mark] // tells the group's index; nil: nobody wants to know

	_ [64]byte // the next Worker in memory
}

func newWorker(vhost string, a Address, g *group, member bool) *Worker {
	w := &Worker{addr: a, vhost: vhost, group: g, member: member}
	w.settings.Store(&unplanned)
	return w
}

// unplanned is the settings of workers for which none were put in force yet.
var unplanned = NewWorkerSettings()

// Address is where it is.
func (w *Worker) Address() Address { return w.addr }

// URL is its normalised URL, httpd's worker name: what BALANCER_WORKER_NAME says.
func (w *Worker) URL() string { return w.addr.URL }

// Covers reports whether it may serve a URL; see Address.Covers.
func (w *Worker) Covers(url string) bool { return w.addr.Covers(url) >= 0 }

// Name is its name in manager and log, with the socket: "unix:/path|URL".
func (w *Worker) Name() string { return w.addr.Name() }

// VHost is the virtual host that defined it.
func (w *Worker) VHost() string { return w.vhost }

// Member reports whether it belongs to a balancer.
func (w *Worker) Member() bool { return w.member }

// Settings is its parameters now. Not to be written to.
func (w *Worker) Settings() *WorkerSettings { return w.settings.Load() }

// Status is its condition now.
func (w *Worker) Status() Status { return Status(w.status.Load()) }

// Usable reports whether requests may be sent to it now.
func (w *Worker) Usable() bool { return w.Status().Usable() }

// Busy is the number of requests under way.
func (w *Worker) Busy() int64 { return w.busy.value() }

// AddTraffic counts bytes sent to it and read from it, in httpd's sense: sent is all that was
// written, read the status line without its line end and the body without its chunks.
func (w *Worker) AddTraffic(sent, read int64) {
	if sent != 0 {
		w.sent.Add(sent)
	}
	if read != 0 {
		w.read.Add(read)
	}
	if sent|read != 0 {
		w.moves()
	}
}

// Snapshot is a worker at one moment: what pages, JSON and figures of the whole server show of it.
type Snapshot struct {
	Settings  *WorkerSettings // not to be written to
	Status    Status          // the live one
	Elected   uint64          // how often it was picked
	Busy      int64           // requests under way
	Load      int64           // lbstatus: what the lbmethod compares
	Sent      int64           // bytes to it
	Read      int64           // bytes from it
	ErrorTime time.Time       // when it failed last; zero: not since the last connection to it was made
	Retries   int             // how often it got another chance since the last connection to it was made
	Passes    int             // of the health check, so far
	Fails     int             // likewise
}

// Snapshot is the worker now. It costs no allocation.
func (w *Worker) Snapshot() Snapshot {
	w.group.mu.Lock()
	defer w.group.mu.Unlock()
	return w.snapshot()
}

func (w *Worker) snapshot() Snapshot {
	return Snapshot{
		Settings:  w.settings.Load(),
		Status:    w.Status(),
		Elected:   w.elected,
		Busy:      w.busy.value(),
		Load:      w.lbstatus(),
		Sent:      w.sent.Load(),
		Read:      w.read.Load(),
		ErrorTime: w.errorTime,
		Retries:   w.retries,
		Passes:    w.passes,
		Fails:     w.fails,
	}
}

// LiveSettings is its parameters now, as the manager edits them: Status is the live one.
func (w *Worker) LiveSettings() WorkerSettings {
	now := w.Snapshot()
	s := *now.Settings
	s.Status = now.Status
	return s
}

// configure puts settings in force, but not their status. Under group.mu.
func (w *Worker) configure(s WorkerSettings) { w.put(&s) }

// put is configure with settings that nobody writes to any longer.
func (w *Worker) put(s *WorkerSettings) {
	w.group.change()
	w.group.byRoute = nil
	w.settings.Store(s)
	w.lbset, w.factor, w.retry, w.route = int32(s.LBSet), int64(s.LoadFactor), s.Retry.V, s.Route
}

// reset puts settings, which nobody writes to any longer, in force and clears state and figures. Under group.mu.
func (w *Worker) reset(s *WorkerSettings) {
	w.put(s)
	w.setStatus(s.Status | Init)
	w.load, w.elected, w.retries, w.passes, w.fails = 0, 0, 0, 0, 0
	w.errorTime = time.Time{}
	w.busy.reset()
	w.sent.Store(0)
	w.read.Store(0)
	w.writeRow()
}

// values is settings as a record has them, and which they are.
type values struct {
	of     *WorkerSettings
	byName map[string]string
}

// recorded is the settings as a record has them; not to be written to. In a group of many members they are kept, so that
// an edit of one does not make those of all again. Under group.mu.
func (w *Worker) recorded(keep bool) map[string]string {
	s := w.settings.Load()
	if v := w.values; v != nil && v.of == s {
		return v.byName
	}
	m := WorkerParams.Values(s)
	if keep {
		w.values = &values{s, m}
	}
	return m
}

// set changes conditions. Under group.mu.
func (w *Worker) set(bits Status, on bool) {
	w.setStatus(w.Status().with(bits, on))
}

// setStatus puts w into these conditions. Under group.mu.
func (w *Worker) setStatus(s Status) {
	w.group.change()
	w.status.Store(uint32(s))
}

// has reports whether one of the conditions holds.
func (w *Worker) has(bits Status) bool { return w.Status()&bits != 0 }
