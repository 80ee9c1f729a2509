package process

import (
	"cmp"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"balancerd/balancer/store/memory"
	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

// supervisor is the main process. It reads nothing from the network: it holds what only root may open
// (listening sockets, logs, the configuration with its keys) and hands it to the process that serves,
// which it starts anew when that one dies. Owned by one goroutine.
type supervisor struct {
	*cli.Command
	assemble Assemble
	signals  chan os.Signal
	waiting  []os.Signal // that came while something else was waited for
	started  time.Time
	user     credentials // of the process that serves

	sockets    server.Sockets
	state      map[memory.Kind]int       // what the serving process leaves for the next
	conf       *configuration            // in force; nil before the first
	own        atomic.Pointer[site.Site] // of conf: what the main process obeys of it
	pid        PidFile
	background bool                   // stderr is the error log
	old        map[int]*configuration // replaced, and still used; by generation
	loads      int                    // configurations put in force
	unclean    bool                   // a pid file tells of a server that did not end by itself

	child  *child           // that serves; nil between a death and the next start
	again  <-chan time.Time // when to start the next; nil: not waited for
	deaths deaths
}

// The ways in which a load ends before the serving process has said how it went.
var (
	errDied        = errors.New("the serving process ended while it loaded the configuration")
	errInterrupted = errors.New("a signal ended the server while it loaded the configuration")
)

// Supervise starts a server and keeps it alive until a signal ends it. What goes wrong at the start is
// said on stderr. started is called once requests are served; nil is fine. It returns the exit status.
func Supervise(c *cli.Command, assemble Assemble, own Launcher, started func()) int {
	if own.Background() {
		os.Chdir("/") // httpd: apr_proc_detach
	}
	s := &supervisor{Command: c, assemble: assemble, signals: make(chan os.Signal, 16), started: time.Now(), state: map[memory.Kind]int{}, old: map[int]*configuration{}}
	signal.Notify(s.signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGWINCH)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // a reader of stdout that went away is no reason to end
	if exit, up := s.start(own); !up {
		return exit
	}
	if started != nil {
		started()
	}
	recovery.Keep("watching over the serving process", s.run)
	return 0
}

// start does everything up to the first request. Unless the server is up then, exit is the status to end
// with.
func (s *supervisor) start(own Launcher) (exit int, up bool) {
	c, err := s.read()
	if err != nil {
		return s.refuse(err), false
	}
	if c.broken == nil { // else the serving process will tell what is wrong
		s.pid.Path = c.site.Settings.PidFile
		if start, exit := Control("start", &s.pid, s.Out, s.Errs); !start {
			c.close()
			return exit, false
		}
		pid, err := s.pid.read()
		s.unclean = err == nil && pid != 0
	}
	if err = s.serve(c, own); err != nil {
		return s.refuse(err), false
	}
	s.up()
	notify(notifyReady)
	return 0, true
}

// serve has a first process serve c.
func (s *supervisor) serve(c *configuration, own Launcher) (err error) {
	if s.user, err = credentialsOf(c); err != nil {
		c.close()
		return err
	}
	s.user.Background = own.Background()
	if err = s.spawn(); err == nil {
		err = s.load(c)
	}
	if err != nil {
		c.close()
		return err
	}
	if err := s.writePid(c.site); err != nil {
		return err
	}
	if s.user.warning != "" {
		s.log("unixd", exchange.Alert, s.user.warning)
	}
	if own.Background() {
		s.Errs, s.background = io.Discard, true
		if err := own.ready(s.stderr); err != nil {
			s.pid.remove()
			return err
		}
	}
	return s.child.send(&message{Kind: msgServe})
}

// up logs that a configuration is in force.
func (s *supervisor) up() {
	for _, line := range s.conf.notes {
		s.log("core", exchange.Warn, line)
	}
	s.resumed()
	trim()
}

// refuse prints why there is no server.
func (s *supervisor) refuse(err error) int {
	s.child.end()
	s.sockets.Close()
	if s.conf != nil {
		s.conf.close()
	}
	var f *cli.Failure
	if errors.As(err, &f) {
		return s.Refuse(f)
	}
	return s.Refuse(&cli.Failure{Words: s.Words(err), After: cli.AfterStart(err)})
}

// run does what signals and the serving process say until a signal ends the server.
func (s *supervisor) run() {
	for {
		if len(s.waiting) > 0 {
			sig := s.waiting[0]
			s.waiting = s.waiting[1:]
			if over := s.handleSignal(sig); over {
				return
			}
			continue
		}
		select {
		case sig := <-s.signals:
			s.waiting = append(s.waiting, sig)
		case m, ok := <-s.child.messages():
			if ok {
				s.handle(m)
			} else {
				s.died()
			}
		case <-s.again:
			s.replace()
		}
	}
}

// handleSignal does what a signal says (httpd: event.c event_run). over: it ends the server.
func (s *supervisor) handleSignal(sig os.Signal) (over bool) {
	switch sig {
	case syscall.SIGHUP:
		s.log("mpm_event", exchange.Notice, "AH00494: SIGHUP received.  Attempting to restart")
		s.reload()
		return false
	case syscall.SIGUSR1:
		s.log("mpm_event", exchange.Notice, "AH00493: SIGUSR1 received.  Doing graceful restart")
		s.reload()
		return false
	case syscall.SIGWINCH:
		notify(notifyStopping)
		s.drain()
	default:
		notify(notifyStopping)
		s.sockets.Close()
		s.halt()
		s.removePid()
		s.log("mpm_event", exchange.Notice, "AH00491: caught SIGTERM, shutting down")
	}
	s.child.end()
	s.forget()
	s.conf.close()
	return true
}

// drain has what is under way finished, as long as GracefulShutdownTimeout allows, to which the serving
// process sees, and nobody says TERM.
func (s *supervisor) drain() {
	s.sockets.Close()
	s.child.send(&message{Kind: msgDrain})
	s.removePid()
	s.log("mpm_event", exchange.Notice, "AH00492: caught SIGWINCH, shutting down gracefully")
	for s.child != nil {
		select {
		case sig := <-s.signals:
			if sig == syscall.SIGTERM || sig == syscall.SIGINT {
				s.halt()
				return
			}
		case m, ok := <-s.child.messages():
			if !ok {
				return
			}
			s.handle(m)
			if m.m.Kind == msgHalted {
				return
			}
		}
	}
}

// endTimeout is how long the serving process may take to end.
const endTimeout = 10 * time.Second

// halt has the serving process cut everything off, and waits until it has.
func (s *supervisor) halt() {
	if s.child.send(&message{Kind: msgHalt}) != nil {
		return
	}
	limit := time.After(endTimeout)
	for {
		select {
		case m, ok := <-s.child.messages():
			if !ok {
				return
			}
			s.handle(m)
			if m.m.Kind == msgHalted {
				return
			}
		case <-limit:
			return
		}
	}
}

// handle takes a message of the serving process that nobody waits for.
func (s *supervisor) handle(m *received) {
	defer m.close()
	switch m.m.Kind {
	case msgKeep:
		s.keep(m)
	case msgOver:
		s.over(m.m.Generation)
	}
}

// over lets go of a configuration that has no request any more. It may be the one in force still: what replaces it is
// loaded then, and the word of that is on its way.
func (s *supervisor) over(generation int) {
	switch c := s.old[generation]; {
	case c != nil:
		c.close()
		delete(s.old, generation)
	case s.conf != nil && s.conf.generation == generation:
		s.conf.over = true
	}
}

// keep holds what the serving process leaves for the next.
func (s *supervisor) keep(m *received) {
	if len(m.fds) != 1 {
		return
	}
	fd, err := server.Duplicate(m.fds[0])
	if err != nil {
		s.log("core", exchange.Error, "balancerd: the balancers' state can't be kept for another process: "+err.Error())
		return
	}
	if old, has := s.state[m.m.Memory]; has {
		syscall.Close(old)
	}
	s.state[m.m.Memory] = fd
}

// forget lets go of configurations that were replaced: nobody uses them any more.
func (s *supervisor) forget() {
	for g, c := range s.old {
		c.close()
		delete(s.old, g)
	}
	if s.conf != nil {
		s.conf.over = false // the next process serves it
	}
}

// reload reads the configuration again. One that can't be served changes nothing; the error log says
// why.
func (s *supervisor) reload() {
	notify(notifyReloading)
	if s.child == nil { // it would have been started soon
		s.replace()
	}
	c, err := s.read()
	if err == nil {
		if err = s.load(c); err != nil {
			c.close()
		}
	}
	if err != nil {
		s.notLoaded(err)
		return
	}
	defer notify(notifyReady)
	if err := s.writePid(c.site); err != nil {
		s.logLines(err.Error() + "\nbalancerd: the new configuration serves all the same")
	}
	if s.background {
		s.stderr(2)
	}
	if set := &s.conf.site.Settings; set.User != s.user.user || set.Group != s.user.group {
		s.log("unixd", exchange.Warn, "balancerd: another User or Group takes a stop and a start; "+s.user.user+" and "+s.user.group+" stay until then")
	}
	s.up()
}

func (s *supervisor) notLoaded(err error) {
	words := s.Words(err)
	var f *cli.Failure
	if errors.As(err, &f) {
		words = f.Words
		for _, n := range f.Noticed {
			s.log(cmp.Or(n.Module, "core"), n.Level, n.Message)
		}
		if f.Hint != "" {
			words += "\n" + f.Hint
		}
	}
	s.logLines(words)
	s.tellManager(words)
	s.log("core", exchange.Error, "balancerd: the configuration was not loaded; the old one goes on serving")
}

// logLines logs each line of a text as an error.
func (s *supervisor) logLines(text string) {
	for line := range strings.Lines(text) {
		s.log("core", exchange.Error, strings.TrimSuffix(line, "\n"))
	}
}
