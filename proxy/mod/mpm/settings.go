package mpm

import (
	"errors"
	"strings"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// settings are the main server's directives about the process itself.
type settings struct {
	listen          []listener
	pidFile         string
	user, group     string
	backlog         int
	sendBuffer      int
	receiveBuffer   int
	gracefulSeconds int
	threadsPerChild int
	maxWorkers      int
}

var scopes = directive.NewKey[settings]("mpm", func(outer, inner settings) settings { return inner })

func setPidFile(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	scopes.In(s).pidFile = a.Words[0]
	return nil
}

func setBacklog(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	n := directive.Atoi(a.Words[0])
	if n < 1 {
		return errors.New("ListenBacklog must be > 0")
	}
	scopes.In(s).backlog = n
	return nil
}

func setBuffer(field func(*settings) *int) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		if err := a.Only(s, directive.Main); err != nil {
			return err
		}
		n := directive.Atoi(a.Words[0])
		if n < 512 && n != 0 {
			return errors.New(a.Name + " must be >= 512 bytes, or 0 for system default.")
		}
		*field(scopes.In(s)) = n
		return nil
	}
}

func setProcess(field func(*settings) *int) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		if err := a.Only(s, directive.Main); err != nil {
			return err
		}
		*field(scopes.In(s)) = directive.Atoi(a.Words[0])
		return nil
	}
}

// defaultPidFile is PidFile where none is set: as it is compiled in when that is absolute, else in the runtime
// directory (httpd: log.c ap_log_pid).
func defaultPidFile(t *apacheconf.Tree, compiled string) string {
	switch {
	case t.Partial:
		return "" // none
	case compiled == "" || t.RuntimeDir != "" && !strings.HasPrefix(compiled, "/"):
		return t.RuntimePath("httpd.pid")
	}
	return t.Path(compiled)
}

// fill copies the settings to where the server looks for them.
func (p *settings) fill(st *site.Site, pidFile string) {
	t := st.Config.Tree
	g := &st.Settings
	g.PidFile = defaultPidFile(t, pidFile)
	if p.pidFile != "" {
		g.PidFile = t.Path(p.pidFile)
	}
	g.User, g.Group = p.user, p.group
	g.Backlog = p.backlog
	if g.Backlog == 0 {
		g.Backlog = 511
	}
	g.SendBuffer, g.ReceiveBuffer = p.sendBuffer, p.receiveBuffer
	g.GracefulTimeout = time.Duration(p.gracefulSeconds) * time.Second
	g.ThreadsPerChild, g.MaxWorkers = p.threadsPerChild, p.maxWorkers
	if g.ThreadsPerChild == 0 {
		g.ThreadsPerChild = 25
	}
	if g.MaxWorkers == 0 {
		g.MaxWorkers = 400
	}
	for i := range p.listen {
		l := &p.listen[i]
		st.Listeners = append(st.Listeners, site.Listener{Address: l.address(), Text: l.text, Proto: l.proto, Pos: l.pos})
	}
}
