package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"balancerd/apacheconf"
	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/exchange"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/recovery"
	"balancerd/proxy/server"
	"balancerd/proxy/site"
)

// configuration is one load as the main process holds it, for as long as a process serves it or the next
// one may have to.
type configuration struct {
	generation int
	f          *os.File         // the bundle
	own        *apacheconf.Tree // what of it the main process obeys
	site       *site.Site       // the same, built; with its log once the logs are open
	broken     error            // why it could not be built: then the serving process can't either
	keepsState bool
	over       bool // no request needs it any more: the one that replaces it is loaded
	notes      []string

	reader   *child   // until the logs are open
	commands []string // of log programs, as the configuration names them
	logs     []named  // files and programs' inputs; those that the reader opened, and log programs'
	programs []*sink.Program
	errs     *os.File // what they write errors to, in the background; nil in the foreground
}

// read has the reader read the configuration, and waits until it has handed it over.
func (s *supervisor) read() (*configuration, error) {
	r, err := s.startProcess(readerRole, credentials{})
	if err != nil {
		return nil, err
	}
	m, err := s.await(r)
	if err != nil {
		r.end()
		if err == errDied {
			err = fmt.Errorf("the configuration was not read: its reader ended: %s", r.exitMessage())
		}
		return nil, err
	}
	defer m.close()
	switch {
	case m.m.Kind == msgNotRead:
		r.end()
		return nil, m.m.Failure
	case m.m.Kind != msgRead || len(m.fds) != 1:
		r.end()
		return nil, fmt.Errorf("the configuration was not read: its reader says %q", m.m.Kind)
	}
	c := &configuration{generation: s.loads, f: os.NewFile(uintptr(m.take(0)), "configuration"),
		keepsState: m.m.KeepsState, notes: m.m.Notes, reader: r, commands: m.m.Names}
	if c.own, err = ownDirectives(c.f); err != nil {
		c.close()
		return nil, err
	}
	if c.site, c.broken = ownSite(s.Command, c.own, nil); c.broken != nil {
		c.site = &site.Site{}
	}
	return c, nil
}

// load has the serving process put c in force, and hands over what it asks for on the way: logs when the
// directives are sound, sockets when the site is (httpd: main.c runs check_config, open_logs and
// post_config in this order).
func (s *supervisor) load(c *configuration) error {
	order := &loadOrder{Generation: c.generation, First: s.conf == nil}
	if c.broken != nil {
		order.Broken = s.Words(c.broken)
	}
	if c.keepsState {
		order.StateDir = s.stateFolder(c)
	}
	if err := s.child.send(&message{Kind: msgLoad, Load: order}, []int{int(c.f.Fd())}); err != nil {
		return errDied
	}
	for {
		m, err := s.await(s.child)
		if err != nil {
			return err
		}
		switch m.m.Kind {
		case msgBound:
			err = s.giveLogs(c)
		case msgBuilt:
			err = s.giveSockets(c)
		case msgRefused:
			err = errDied
			if m.m.Failure != nil { // a process that serves may send anything
				err = m.m.Failure
			}
		case msgLoaded:
			m.close()
			s.inForce(c)
			return nil
		default:
			s.handle(m)
		}
		m.close()
		if err != nil {
			return err
		}
	}
}

// await waits for a process's next message. Signals wait meanwhile, but for those that end the server.
func (s *supervisor) await(c *child) (*received, error) {
	for {
		select {
		case m, ok := <-c.messages():
			if !ok {
				return m, errDied
			}
			return m, nil
		case sig := <-s.signals:
			s.waiting = append(s.waiting, sig)
			if sig == syscall.SIGTERM || sig == syscall.SIGINT {
				return nil, errInterrupted
			}
		}
	}
}

// inForce is that c serves from now on.
func (s *supervisor) inForce(c *configuration) {
	switch before := s.conf; {
	case before == nil || before == c:
	case before.over:
		before.close()
	default:
		s.old[before.generation] = before
	}
	if s.conf != c {
		s.loads++
	}
	s.conf = c
	s.own.Store(c.site)
	s.sockets.Drop(c.site)
}

// giveLogs opens the logs, unless the reader has done so, and hands them over. There may be none: the system's
// log is opened by whoever writes to it.
func (s *supervisor) giveLogs(c *configuration) error {
	if c.reader != nil {
		if err := s.openLogs(c); err != nil {
			return err
		}
	}
	return s.child.link.sendNamed(msgLogs, c.logs)
}

func (s *supervisor) openLogs(c *configuration) error {
	if err := c.reader.send(&message{Kind: msgOpenLogs}); err != nil {
		return err
	}
	for more := 1; more > 0; {
		m, err := s.await(c.reader)
		if err != nil {
			return err
		}
		list, err := m.m.files(m.takeAll())
		c.logs = append(c.logs, list...)
		if err != nil || m.m.Kind != msgLogsOpened {
			return fmt.Errorf("logs were not opened: %q: %w", m.m.Kind, err)
		}
		more = m.m.More
	}
	c.reader.end()
	c.reader = nil
	if len(c.commands) > 0 {
		s.startPrograms(c)
	}
	if c.broken == nil {
		if st, err := ownSite(s.Command, c.own, c.openLog); err == nil { // else the serving process tells what is wrong
			c.site = st
		}
	}
	return nil
}

// startPrograms starts the log programs. In the background they write errors to the error log, where that is a file: whoever
// started the server waits for the end of its output (httpd: log.c ap_open_logs).
func (s *supervisor) startPrograms(c *configuration) {
	out, errs := os.Stdout, os.Stderr
	if s.user.Background {
		c.errs = s.errorsOf(c)
		out, errs = nil, c.errs
	}
	for _, command := range c.commands {
		c.startProgram(command, out, errs, s.programDied)
	}
}

// errorsOf is a file that writes to the error log of c, or nowhere when that is no file.
func (s *supervisor) errorsOf(c *configuration) *os.File {
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil
	}
	st, err := ownSite(s.Command, c.own, c.openLog) // an error when the log is a program that is to be started
	if err != nil {
		return f
	}
	defer st.Close()
	writeToLog(st, int(f.Fd()))
	syscall.CloseOnExec(int(f.Fd()))
	return f
}

// startProgram starts a log program as this process's own child.
func (c *configuration) startProgram(command string, out, errs *os.File, died func(string, error)) {
	p, err := sink.StartProgram(command, c.own.ServerRoot, out, errs, died)
	if err != nil {
		c.logs = append(c.logs, named{name: command, errno: errnoIn(err)})
		return
	}
	c.programs = append(c.programs, p)
	fd, err := detach(p.Input())
	c.logs = append(c.logs, named{name: command, fd: fd, errno: errnoIn(err)})
}

// programDied tells of a log program that ended by itself. It is called beside the supervisor's goroutine.
func (s *supervisor) programDied(program string, _ error) {
	s.log("core", exchange.Warn, "AH00106: piped log program '"+program+"' failed unexpectedly")
}

// openLog gives one of the logs to the main process's own site.
func (c *configuration) openLog(target string) (*os.File, error) {
	i := slices.IndexFunc(c.logs, func(n named) bool { return n.name == target })
	if i < 0 {
		return nil, &os.PathError{Op: "open", Path: target, Err: syscall.ENOENT}
	}
	if e := c.logs[i].errno; e != 0 {
		return nil, &os.PathError{Op: "open", Path: target, Err: e}
	}
	fd, err := server.Duplicate(c.logs[i].fd)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), target), nil
}

// giveSockets opens the addresses that are not open yet and hands them over; to a process that has none,
// all of them. One that can't be opened is the serving process's to tell.
func (s *supervisor) giveSockets(c *configuration) error {
	opened, again, err := s.sockets.Open(c.site, s.releaseSockets)
	for end := time.Now().Add(freePortTimeout); s.unclean && errors.Is(err, syscall.EADDRINUSE) && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		opened, again, err = s.sockets.Open(c.site, s.releaseSockets)
	}
	s.unclean = false
	if len(again) > 0 {
		s.child.link.sendNamed(msgResume, socketList(again))
	}
	if err != nil {
		if s.conf != nil {
			err = StillServed(err)
		}
		return s.child.send(&message{Kind: msgSockets, Failure: &cli.Failure{Words: s.Words(err), After: cli.AfterStart(err), Hint: ListenHint(err)}})
	}
	if s.child.sockets { // it has the others
		return s.child.link.sendNamed(msgSockets, socketList(opened))
	}
	s.child.sockets = true
	return s.child.link.sendNamed(msgSockets, socketList(s.sockets.Descriptors()))
}

// freePortTimeout is how long a start waits for the serving process of a server whose main process was killed:
// it closes its sockets when it notices.
const freePortTimeout = 3 * time.Second

// releaseSockets has the serving process close sockets, since another one needs their port.
func (s *supervisor) releaseSockets(addresses []string) error {
	if !s.child.sockets {
		return nil
	}
	if err := s.child.send(&message{Kind: msgRelease, Names: addresses}); err != nil {
		return err
	}
	for {
		m, err := s.await(s.child)
		if err != nil {
			return err
		}
		if m.m.Kind == msgReleased {
			m.close()
			return nil
		}
		s.handle(m)
	}
}

func socketList(fds map[string]int) (list []named) {
	for address, fd := range fds {
		list = append(list, named{name: address, fd: fd})
	}
	return list
}

// stateFolder is where the serving process keeps balancers' state, as its user's own; "" when it can't be
// had; then a note for the log says why.
func (s *supervisor) stateFolder(c *configuration) string {
	dir := c.site.Settings.RuntimeDir
	d, err := sink.OpenFolder(dir)
	if err == nil {
		defer d.Close()
		var f *os.File
		if f, err = d.Give(stateName, s.user.UID, s.user.GID); err == nil {
			f.Close()
			return dir + "/" + stateName
		}
	}
	c.notes = append(c.notes, "balancerd: the balancers' state is not kept: "+err.Error())
	return ""
}

// stateName is the folder in the runtime directory where BalancerPersist keeps records.
const stateName = "balancers"

// close lets all go. Log programs get the end of their input when nobody serves them any more.
func (c *configuration) close() {
	c.reader.end()
	if c.site != nil {
		c.site.Close()
	}
	c.f.Close()
	closeAll(c.logs)
	for _, p := range c.programs {
		recovery.Go("ending a log's program", func() { p.Close() })
	}
	if c.errs != nil {
		c.errs.Close()
	}
	c.logs, c.programs, c.errs = nil, nil, nil
}
