package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"balancerd/apacheconf"
	"balancerd/balancer"
	"balancerd/balancer/store/memory"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http1"
	"balancerd/proxy/logfile"
	"balancerd/proxy/recovery"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

const (
	keepEvery = 10 * time.Second // how often balancers' state is saved, where BalancerPersist asks for it
	noteEvery = time.Second      // how often counters are written for the next process
)

// serving is the process that serves requests. What it needs of root it gets from the main process.
type serving struct {
	p    *program
	link *link
	in   chan *heard // closed when the main process is gone

	background bool
	running    sync.WaitGroup // what end ends
	end        context.CancelFunc
}

// serve has this process serve what the main process hands over, until that says otherwise or is gone.
func (p *program) serve(l *link) int {
	if !p.alone {
		nameProcess(p.o.argv0)
		// They mean the main process, and reach this one as well when they are sent to all.
		signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGWINCH)
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	}
	s := &serving{p: p, link: l, in: make(chan *heard), end: func() {}}
	recovery.Go("listening to the main process", s.listen)
	for m := range s.in {
		if over := s.do(m); over {
			s.stop()
			l.send(&message{Kind: msgHalted})
			break
		}
	}
	if s.end != nil {
		s.orphaned()
	}
	l.close()
	return 0
}

func (s *serving) listen() {
	defer close(s.in)
	for {
		m, fds, err := s.link.receive()
		if err != nil {
			return
		}
		s.in <- &heard{m, fds}
	}
}

// do does what the main process says. over: nothing is to be served any more.
func (s *serving) do(m *heard) (over bool) {
	defer m.close()
	switch m.m.Kind {
	case msgBegin:
		return s.begin(m.m.Begin)
	case msgBefore:
		s.remember(m)
	case msgLoad:
		return s.take(m)
	case msgServe:
		s.run()
	case msgRelease:
		s.p.server.Release(m.m.Names)
		s.link.send(&message{Kind: msgReleased})
	case msgResume:
		s.p.server.Resume(listeners(m))
	case msgDrain:
		s.drain()
		return true
	case msgHalt:
		s.p.server.Halt()
		return true
	}
	return false
}

// begin becomes the user's, before anything of the configuration is looked at.
func (s *serving) begin(b *beginning) (over bool) {
	s.background = b.Background
	s.p.server.CountFrom(b.Started)
	s.p.server.OnOver(func(g int) { s.link.send(&message{Kind: msgOver, Generation: g}) })
	if err := b.assume(); err != nil {
		s.refuse(&failure{Words: err.Error()})
		return true
	}
	s.p.farm.Remember(memory.New(keeper(s.link)), balancer.Before{})
	return false
}

// remember takes up what the process before has left.
func (s *serving) remember(m *heard) {
	files := map[memory.Kind]*os.File{}
	for i, fd := range m.takeAll() {
		f := os.NewFile(uintptr(fd), m.m.Names[i])
		defer f.Close()
		files[memory.Kind(m.m.Names[i])] = f
	}
	before, err := memory.Load(files[memory.Table], files[memory.Edits])
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.p.o.name, err)
	}
	s.p.farm.Remember(memory.New(keeper(s.link)), before)
}

// take loads a configuration and tells how that went.
func (s *serving) take(m *heard) (over bool) {
	b, tree, err := openBundle(os.NewFile(uintptr(m.take(0)), "configuration"))
	if err != nil {
		s.refuse(&failure{Words: s.p.o.name + ": " + err.Error()})
		return false
	}
	h := &handover{s: s, tree: tree, files: b, order: m.m.Load}
	err = errPanic
	var next *site.Site
	recovery.Do("loading a configuration", func() { next, err = s.p.load(h) })
	if err != nil {
		b.close()
		if err == errHalted {
			s.p.server.Halt()
			return true
		}
		s.refuse(s.p.failureOf(h, err))
		return false
	}
	next.OnClose(b.close)
	s.p.noted(next)
	if s.background && s.p.background {
		s.redirect()
	}
	s.link.send(&message{Kind: msgLoaded})
	trim()
	return false
}

func (s *serving) refuse(f *failure) { s.link.send(&message{Kind: msgRefused, Failure: f}) }

// run begins to serve.
func (s *serving) run() {
	if s.background {
		s.redirect()
	}
	if !s.p.alone {
		spareProcessors()
	}
	ctx, end := context.WithCancel(context.Background())
	s.end = end
	s.keep("serving", func() { s.p.server.Run(ctx) })
	s.keep("saving balancers", func() { s.p.farm.Keep(ctx, keepEvery, s.p.unkept) })
	s.keep("writing down counters", func() { s.note(ctx) })
}

// keep runs f until it returns, which stop waits for.
func (s *serving) keep(task string, f func()) {
	s.running.Add(1)
	recovery.Go(task, func() {
		defer s.running.Done()
		recovery.Keep(task, f)
	})
}

// note writes the members' counters for the next process, once a second.
func (s *serving) note(ctx context.Context) {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.p.farm.KeepFigures(); err != nil {
				s.p.log("proxy_balancer", exchange.Error, "balancerd: counters would be lost with this process: "+err.Error())
			}
		case <-ctx.Done():
			return
		}
	}
}

// stop ends what run began, and waits for it: the balancers are saved, the logs closed.
func (s *serving) stop() {
	if s.end != nil {
		s.end()
		s.running.Wait()
		s.end = nil
	}
}

// redirect leaves the terminal, once, and has what Go itself says, a panic above all, go to the error log.
func (s *serving) redirect() {
	if !s.p.background {
		if null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
			for fd := range 3 {
				logfile.Duplicate(int(null.Fd()), fd)
			}
			null.Close()
		}
		s.p.background = true
	}
	s.p.stderr(2)
}

// drain has what is under way finished, as long as GracefulShutdownTimeout allows and the main process says
// nothing else.
func (s *serving) drain() {
	ctx, cancel := context.WithCancel(context.Background())
	if limit := s.p.server.Site().Settings.GracefulTimeout; limit > 0 {
		ctx, cancel = context.WithTimeout(context.Background(), limit)
	}
	defer cancel()
	drained := make(chan struct{})
	recovery.Go("finishing what is under way", func() {
		defer close(drained)
		s.p.server.Drain(ctx)
	})
	in := s.in
	for {
		select {
		case <-drained:
			return
		case m, ok := <-in:
			if !ok {
				in = nil // the main process is gone: what is under way is still finished
				continue
			}
			if m.m.Kind == msgHalt {
				cancel()
			}
			m.close()
		}
	}
}

// orphanTime is how long requests under way may take when the main process is gone.
const orphanTime = 30 * time.Second

// orphaned ends a process whose main process is gone: nobody would replace it, and its sockets would keep
// the next server from starting.
func (s *serving) orphaned() {
	if s.p.server.Site() == nil {
		return
	}
	s.p.log("core", exchange.Crit, "balancerd: the main process is gone; requests under way are finished")
	ctx, cancel := context.WithTimeout(context.Background(), orphanTime)
	defer cancel()
	s.p.server.Drain(ctx)
	s.stop()
}

// spareProcessors lets as many goroutines run at a time as the engine wants, unless the environment says
// how many.
func spareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(http1.Processors(runtime.GOMAXPROCS(0)))
	}
}

func (p *program) unkept(err error) { p.log("proxy_balancer", exchange.Error, err.Error()) }

// handover is what a load needs of the main process, which gives it step by step.
type handover struct {
	s     *serving
	tree  *apacheconf.Tree
	files *bundle
	order *loadOrder
	logs  map[string]named // that no log has taken yet
}

// errPanic: the log says more.
var errPanic = errors.New("the configuration was not loaded: a panic, which the error log or stderr tells of")

// errHalted: the main process wants the end instead.
var errHalted = errors.New("the server ends")

// ask tells the main process how far the load is and waits for what it has asked for: all messages of a
// kind.
func (h *handover) ask(step, answer kind, take func(*heard) error) error {
	if err := h.s.link.send(&message{Kind: step}); err != nil {
		return errHalted
	}
	for more := 1; more > 0; {
		m, ok := <-h.s.in
		if !ok || m.m.Kind == msgHalt {
			return errHalted
		}
		if m.m.Kind != answer {
			h.s.do(m)
			continue
		}
		err := take(m)
		more = m.m.More
		m.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// openLogs gets the logs.
func (h *handover) openLogs() error {
	h.logs = map[string]named{}
	return h.ask(msgBound, msgLogs, func(m *heard) error {
		list, err := m.m.files(m.takeAll())
		for _, f := range list {
			h.logs[f.name] = f
		}
		return err
	})
}

// openLog is one of them, as directive.Options wants it. Two Sets may ask for the same.
func (h *handover) openLog(target string) (*os.File, error) {
	f, has := h.logs[target]
	switch {
	case !has:
		return nil, &os.PathError{Op: "open", Path: target, Err: syscall.ENOENT}
	case f.errno != 0:
		return nil, &os.PathError{Op: "open", Path: target, Err: f.errno}
	}
	fd, err := server.Duplicate(f.fd)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), target), nil
}

// close lets go of what the load got.
func (h *handover) close() {
	for _, f := range h.logs {
		closeAll([]named{f})
	}
}

// sound is what is wrong with a site that was built and must not be served. At a start it prints what was
// noticed.
func (h *handover) sound(next *site.Site) error {
	p := h.s.p
	if h.order.First {
		p.warnings(next)
		hints(p.errs, next.Config.Hints)
	}
	if err := refusal(next, p.o.name); err != nil {
		return err
	}
	if h.order.Broken != "" {
		return errors.New(h.order.Broken)
	}
	return nil
}

// openSockets gets the sockets that are not open here yet.
func (h *handover) openSockets() (opened map[string]*net.TCPListener, err error) {
	opened = map[string]*net.TCPListener{}
	err = h.ask(msgBuilt, msgSockets, func(m *heard) error {
		if f := m.m.Failure; f != nil {
			return &refusalError{*f}
		}
		for a, l := range listeners(m) {
			opened[a] = l
		}
		return nil
	})
	return opened, err
}

// listeners are the sockets of a message.
func listeners(m *heard) map[string]*net.TCPListener {
	out := map[string]*net.TCPListener{}
	list, _ := m.m.files(m.takeAll())
	for _, f := range list {
		if l, err := server.Listener(f.fd); err == nil {
			out[f.name] = l
		}
	}
	return out
}

// failureOf is why a load failed. What a check would find comes first, as httpd checks before it opens
// anything.
func (p *program) failureOf(h *handover, err error) *failure {
	var r *refusalError
	if errors.As(err, &r) {
		return &r.failure
	}
	conf, berr := p.bind(h.tree, h.files, nil)
	if berr != nil {
		return &failure{Words: p.words(berr), After: p.failedCheck(berr)}
	}
	if checked, cerr := site.Build(conf, p.modules, site.Options{Checking: true}); cerr != nil {
		return &failure{Words: p.words(cerr), After: p.failedCheck(cerr)}
	} else {
		checked.Close()
	}
	return &failure{Words: p.words(err), After: failedStart(err)}
}
