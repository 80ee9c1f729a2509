package process

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"balancerd/balancer"
	"balancerd/balancer/store/memory"
	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/exchange"
	http1 "balancerd/proxy/http1/server"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/recovery"
	"balancerd/proxy/site"
	"balancerd/proxy/ticker"
)

const (
	keepEvery = 10 * time.Second // how often balancers' state is saved, where BalancerPersist asks for it
	noteEvery = time.Second      // how often counters are written for the next process
	trimAfter = time.Second      // so long after nobody needs a configuration any more its memory is given back
)

// serving is the process that serves requests. What it needs of root it gets from the main process.
type serving struct {
	*cli.Command
	*Program
	link *link
	in   chan *received // closed when the main process is gone

	background bool           // the server is in the background
	detached   bool           // this process has left the terminal: its stderr is the error log
	running    sync.WaitGroup // what end ends
	end        context.CancelFunc
}

// serve has this process serve what the main process hands over, until that says otherwise or is gone. It returns
// the exit status.
func serve(c *cli.Command, p *Program, l *link) int {
	if !c.Alone {
		nameProcess(c.Argv0)
		// They mean the main process, and reach this one as well when they are sent to all.
		signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGWINCH)
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	}
	s := &serving{Command: c, Program: p, link: l, in: make(chan *received), end: func() {}}
	recovery.Go("listening to the main process", s.listen)
	for m := range s.in {
		if over := s.handle(m); over {
			s.stop()
			l.send(&message{Kind: msgHalted})
			break
		}
	}
	if s.end != nil {
		s.finishAlone()
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
		s.in <- &received{m, fds}
	}
}

// handle does what a message of the main process says. over: nothing is to be served any more.
func (s *serving) handle(m *received) (over bool) {
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
		s.Server.Release(m.m.Names)
		s.link.send(&message{Kind: msgReleased})
	case msgResume:
		s.Server.Resume(listeners(m))
	case msgDrain:
		s.drain()
		return true
	case msgHalt:
		s.Server.Halt()
		return true
	}
	return false
}

// begin becomes the user's, before anything of the configuration is looked at.
func (s *serving) begin(b *beginning) (over bool) {
	s.background = b.Background
	s.Server.CountFrom(b.Started)
	s.Server.OnOver(func(g int) { s.link.send(&message{Kind: msgOver, Generation: g}) })
	s.Server.OnFreed(func(int) { recovery.AfterFunc(trimAfter, "giving memory back", trim) })
	if err := b.assume(); err != nil {
		s.refuse(&cli.Failure{Words: err.Error()})
		return true
	}
	s.Farm.UseMemory(memory.New(keeper(s.link)), balancer.Predecessor{})
	return false
}

// remember takes up what the process before has left.
func (s *serving) remember(m *received) {
	files := map[memory.Kind]*os.File{}
	for i, fd := range m.takeAll() {
		f := os.NewFile(uintptr(fd), m.m.Names[i])
		defer f.Close()
		files[memory.Kind(m.m.Names[i])] = f
	}
	before, err := memory.Load(files[memory.Table], files[memory.Edits])
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", s.Name, err)
	}
	s.Farm.UseMemory(memory.New(keeper(s.link)), before)
}

// take loads a configuration and tells how that went.
func (s *serving) take(m *received) (over bool) {
	b, tree, err := openBundle(os.NewFile(uintptr(m.take(0)), "configuration"))
	if err != nil {
		s.refuse(&cli.Failure{Words: s.Name + ": " + err.Error()})
		return false
	}
	order := m.m.Load
	h := &handover{s: s}
	a := &Attempt{Tree: tree, Files: b, From: h, Generation: order.Generation, StateDir: order.StateDir, Broken: order.Broken}
	err = errPanic
	var next *site.Site
	recovery.Do("loading a configuration", func() { next, err = s.Load(a) })
	h.close()
	if err != nil {
		b.close()
		if err == errHalted {
			s.Server.Halt()
			return true
		}
		s.refuse(s.failureOf(a, err))
		return false
	}
	next.OnClose(b.close)
	if order.First {
		s.Report(a.Noticed, a.Hints)
	}
	logStart(next, a, order.First)
	if s.background && s.detached {
		s.redirect()
	}
	s.link.send(&message{Kind: msgLoaded})
	trim()
	return false
}

func (s *serving) log(module string, level exchange.Level, message string) {
	logTo(s.Server.Site(), module, level, message)
}

func (s *serving) refuse(f *cli.Failure) { s.link.send(&message{Kind: msgRefused, Failure: f}) }

// run begins to serve.
func (s *serving) run() {
	if s.background {
		s.redirect()
	}
	if !s.Alone {
		spareProcessors()
	}
	ctx, end := context.WithCancel(context.Background())
	s.end = end
	s.keep("serving", func() { s.Server.Run(ctx) })
	s.keep("saving balancers", func() { s.Farm.Keep(ctx, keepEvery, s.unkept) })
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
	tick := ticker.New(noteEvery)
	defer tick.Close() // a panic leaves it open otherwise
	defer context.AfterFunc(ctx, func() { recovery.Do("ending a ticker", tick.Close) })()
	for tick.Wait() {
		if err := s.Farm.WriteRows(); err != nil {
			s.log("proxy_balancer", exchange.Error, "balancerd: counters would be lost with this process: "+err.Error())
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
	if !s.detached {
		if null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0); err == nil {
			for fd := range 3 {
				sink.Duplicate(int(null.Fd()), fd)
			}
			null.Close()
		}
		s.detached = true
	}
	writeToLog(s.Server.Site(), 2)
}

// drain has what is under way finished, as long as GracefulShutdownTimeout allows and the main process says
// nothing else.
func (s *serving) drain() {
	ctx, cancel := context.WithCancel(context.Background())
	if limit := s.Server.Site().Settings.GracefulTimeout; limit > 0 {
		ctx, cancel = context.WithTimeout(context.Background(), limit)
	}
	defer cancel()
	drained := make(chan struct{})
	recovery.Go("finishing what is under way", func() {
		defer close(drained)
		s.Server.Drain(ctx)
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

// aloneTimeout is how long requests under way may take when the main process is gone.
const aloneTimeout = 30 * time.Second

// finishAlone ends a process whose main process is gone: nobody would replace it, and its sockets would keep
// the next server from starting.
func (s *serving) finishAlone() {
	if s.Server.Site() == nil {
		return
	}
	s.log("core", exchange.Crit, "balancerd: the main process is gone; requests under way are finished")
	ctx, cancel := context.WithTimeout(context.Background(), aloneTimeout)
	defer cancel()
	s.Server.Drain(ctx)
	s.stop()
}

// spareProcessors lets as many goroutines run at a time as the engine wants, unless the environment says
// how many.
func spareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(http1.Processors(runtime.GOMAXPROCS(0)))
	}
}

func (s *serving) unkept(err error) { s.log("proxy_balancer", exchange.Error, err.Error()) }
