package rewrite

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/recovery"
	"balancerd/proxy/site"
)

// program is a prg: map: a process that reads keys, a line each, and answers each with a line. One question at a time.
type program struct {
	argv []string   // the program's full path, and its words
	site *site.Site // whose error log it writes to; set before it is started

	turn   chan struct{} // holds one token: who has it may use what follows
	on     bool          // it is to run: a server with rules has the map
	run    *running      // nil: it does not run
	wait   time.Time     // it is not started before
	bad    int           // failures in a row
	unsaid error         // why it could not be started just now; the next who asks logs it
}

// running is a process with our ends of its pipes.
type running struct {
	cmd   *exec.Cmd
	to    *os.File
	from  *os.File
	lines *bufio.Reader
	done  chan struct{} // closed when it has ended
}

const (
	answerTime  = 5 * time.Second
	longestText = 1 << 20 // bytes of an answer
	longestWait = time.Minute
)

// openProgram reads what follows "prg:", a path and words. Behind it stands the user.
func (m *rewriteMap) openProgram(s *directive.Scope, a directive.Args, line string) error {
	argv := apacheconf.Words(line)
	if len(argv) == 0 {
		return errors.New("RewriteMap: bad path to prg map: " + line)
	}
	argv[0] = s.Config.Tree.Path(argv[0])
	if len(a.Words) > 2 {
		s.Config.Hint(a, "the user of a map's program has no effect: it runs as the serving process does")
	}
	pr := &program{argv: argv, turn: make(chan struct{}, 1)}
	pr.turn <- struct{}{}
	m.source = pr
	return m.there(s, argv[0])
}

// openMaps has the programs of all servers whose engine is on started when the configuration takes over, and ended with
// it (httpd: mod_rewrite.c run_rewritemap_programs).
func openMaps(st *site.Site) error {
	seen := map[*program]bool{}
	for _, h := range st.Hosts {
		scopes := []*directive.Scope{st.Hosts[0].Scope}
		if h != st.Hosts[0] {
			scopes = append(scopes, h.Scope)
		}
		if !dirs.Merged(scopes...).state.Or(false) {
			continue
		}
		for _, m := range servers.Merged(scopes...).maps {
			if pr, ok := m.source.(*program); ok && !seen[pr] {
				if seen[pr] = true; !st.Checking && !isExecutableFile(pr.argv[0]) {
					return errors.New("AH00654: mod_rewrite: could not start RewriteMap program " + pr.argv[0] + "\nAH00020: Configuration Failed, exiting")
				}
			}
		}
	}
	for pr := range seen {
		pr.site = st
		st.OnCommit(pr.begin)
		st.OnClose(pr.end)
	}
	return nil
}

func isExecutableFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0
}

// begin starts the process.
func (pr *program) begin() {
	<-pr.turn
	pr.on = true
	pr.start()
	pr.turn <- struct{}{}
}

// end has the process end, and waits for the one who uses it.
func (pr *program) end() {
	<-pr.turn
	pr.on = false
	pr.stop()
	pr.turn <- struct{}{}
}

// start starts the process unless it runs, or has failed just now. The caller has the turn.
func (pr *program) start() {
	if pr.run != nil || time.Now().Before(pr.wait) {
		return
	}
	errs := pr.errorOutput()
	r, err := launch(pr.argv, errs)
	if errs != os.Stderr {
		errs.Close() // nil for none
	}
	if err != nil {
		pr.failed()
		pr.unsaid = err
		return
	}
	pr.run, pr.unsaid = r, nil
}

// errorOutput is what the process's standard error goes to: the error log, as in httpd. The starter's own would keep whoever
// waits for its end, ssh or a script, waiting. nil: nowhere.
func (pr *program) errorOutput() *os.File {
	l, ok := pr.site.ErrorLog.(interface{ Redirect(fd int) error })
	if !ok {
		return os.Stderr
	}
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil
	}
	l.Redirect(int(f.Fd())) // not the system's log: it stays nowhere
	syscall.CloseOnExec(int(f.Fd()))
	return f
}

// launch starts a process in the program's own folder, whose standard error is errs.
func launch(argv []string, errs *os.File) (*running, error) {
	in, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	from, out, err := os.Pipe()
	if err != nil {
		in.Close()
		to.Close()
		return nil, err
	}
	r := &running{cmd: exec.Command(argv[0], argv[1:]...), to: to, from: from, lines: bufio.NewReader(from), done: make(chan struct{})}
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Dir = in, out, filepath.Dir(argv[0])
	if errs != nil {
		r.cmd.Stderr = errs
	}
	err = r.cmd.Start()
	in.Close()
	out.Close()
	if err != nil {
		to.Close()
		from.Close()
		return nil, err
	}
	recovery.Go("waiting for a rewrite map's program", func() {
		defer close(r.done)
		r.cmd.Wait()
	})
	return r, nil
}

// stop ends the process: by the end of its input, or by force when it does not heed that. The caller has the turn.
func (pr *program) stop() {
	r := pr.run
	if pr.run = nil; r == nil {
		return
	}
	r.to.Close()
	r.from.Close()
	recovery.Go("ending a rewrite map's program", func() {
		t := time.NewTimer(answerTime)
		defer t.Stop()
		select {
		case <-r.done:
		case <-t.C:
			r.cmd.Process.Kill()
		}
	})
}

// failed gives the process up; the next is started in a while that doubles. The caller has the turn.
func (pr *program) failed() {
	pr.stop()
	pr.bad++
	pr.wait = time.Now().Add(min(longestWait, time.Second<<min(pr.bad-1, 6)))
}

func (pr *program) find(p *pass, m *rewriteMap, key string) (string, bool) {
	value, ok := "", false
	if strings.IndexByte(key, '\n') < 0 {
		p.x.Block()
		value, ok = pr.ask(p.x, key)
	}
	p.told("map", m, key, value, ok)
	return value, ok
}

// ask has the process answer a key; false when it has no value for it, or does not answer.
func (pr *program) ask(x *exchange.Exchange, key string) (string, bool) {
	t := time.NewTimer(answerTime)
	defer t.Stop()
	select {
	case <-pr.turn:
	case <-t.C:
		x.Log("rewrite", exchange.Error, nil, "RewriteMap program "+pr.argv[0]+" has too much to do")
		return "", false
	}
	defer func() { pr.turn <- struct{}{} }()
	if pr.on {
		pr.start()
	}
	if pr.run == nil {
		pr.tell(x)
		return "", false
	}
	value, err := pr.run.ask(key)
	if err != nil {
		pr.failed()
		x.Log("rewrite", exchange.Error, nil, "RewriteMap program "+pr.argv[0]+" does not answer: "+err.Error())
		return "", false
	}
	pr.bad = 0
	return value, !strings.EqualFold(value, "NULL")
}

// tell logs why the process could not be started, once for each try. The caller has the turn.
func (pr *program) tell(x *exchange.Exchange) {
	if pr.unsaid != nil {
		x.Log("rewrite", exchange.Error, nil, "RewriteMap program "+pr.argv[0]+" can't be started: "+pr.unsaid.Error())
		pr.unsaid = nil
	}
}

// ask writes a line and reads one.
func (r *running) ask(key string) (string, error) {
	until := time.Now().Add(answerTime)
	r.to.SetWriteDeadline(until)
	r.from.SetReadDeadline(until)
	if _, err := r.to.WriteString(key + "\n"); err != nil {
		return "", err
	}
	var b []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		b = append(b, part...)
		switch {
		case err == nil:
			return string(b[:len(b)-1]), nil
		case err != bufio.ErrBufferFull:
			return "", err
		case len(b) > longestText:
			return "", errors.New("an answer without end")
		}
	}
}
