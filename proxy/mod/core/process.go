package core

import (
	"errors"
	"os/user"
	"strconv"
	"strings"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// processSettings are the main server's directives about the process itself.
type processSettings struct {
	listen          []listener
	pidFile         string
	user, group     string
	backlog         int
	sendBuffer      int
	receiveBuffer   int
	gracefulSeconds int
	threadsPerChild int
	maxWorkers      int
	extended        directive.Opt[bool]
	recursion       int
	tokens          string
	nameVirtualHost bool // one was warned of
}

var processes = directive.NewKey[processSettings]("mpm", func(outer, inner processSettings) processSettings { return inner })

func setPidFile(s *directive.Scope, a directive.Args) error {
	if err := onlyMain(s, a); err != nil {
		return err
	}
	processes.In(s).pidFile = a.Words[0]
	return nil
}

// setUser and setGroup check the name at once, as httpd does: the message has its own AH number and
// ends the reading.
func setUser(s *directive.Scope, a directive.Args) error {
	if err := onlyMain(s, a); err != nil {
		return err
	}
	processes.In(s).user = a.Words[0]
	if _, err := UserID(a.Words[0]); err != nil {
		return &apacheconf.Fatal{Message: "AH00543: " + apacheconf.Program() + ": bad user name " + a.Words[0]}
	}
	return nil
}

func setGroup(s *directive.Scope, a directive.Args) error {
	if err := onlyMain(s, a); err != nil {
		return err
	}
	processes.In(s).group = a.Words[0]
	if _, err := GroupID(a.Words[0]); err != nil {
		return &apacheconf.Fatal{Message: "AH00544: " + apacheconf.Program() + ": bad group name " + a.Words[0]}
	}
	return nil
}

// UserID is the number of a user by name or "#number".
func UserID(name string) (int, error) {
	if n, ok := strings.CutPrefix(name, "#"); ok {
		return strconv.Atoi(n)
	}
	u, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(u.Uid)
}

// GroupID is the number of a group by name or "#number".
func GroupID(name string) (int, error) {
	if n, ok := strings.CutPrefix(name, "#"); ok {
		return strconv.Atoi(n)
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

func setBacklog(s *directive.Scope, a directive.Args) error {
	if err := onlyMain(s, a); err != nil {
		return err
	}
	n := directive.Atoi(a.Words[0])
	if n < 1 {
		return errors.New("ListenBacklog must be > 0")
	}
	processes.In(s).backlog = n
	return nil
}

func setBuffer(field func(*processSettings) *int) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		if err := onlyMain(s, a); err != nil {
			return err
		}
		n := directive.Atoi(a.Words[0])
		if n < 512 && n != 0 {
			return errors.New(a.Name + " must be >= 512 bytes, or 0 for system default.")
		}
		*field(processes.In(s)) = n
		return nil
	}
}

func setProcess(field func(*processSettings) *int) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		if err := onlyMain(s, a); err != nil {
			return err
		}
		*field(processes.In(s)) = directive.Atoi(a.Words[0])
		return nil
	}
}

func setExtended(s *directive.Scope, a directive.Args) error {
	if err := onlyMain(s, a); err != nil {
		return err
	}
	processes.In(s).extended.Set(a.On)
	return nil
}

func setRecursion(s *directive.Scope, a directive.Args) error {
	if directive.Atoi(a.Words[0]) <= 0 {
		return errors.New("The recursion limit must be greater than zero.")
	}
	processes.In(s.Config.Main).recursion = directive.Atoi(a.Words[0])
	return nil
}

// version is what the Server header and -v claim to be: scripts ask for Apache/2.4.N.
const version = "2.4.71"

// tokens are ServerTokens' words and the Server header that each gives (httpd: core.c
// set_serv_tokens, set_banner).
var tokens = map[string]string{
	"prod": "Apache", "productonly": "Apache", "major": "Apache/2", "minor": "Apache/2.4",
	"min": "Apache/" + version, "minimal": "Apache/" + version, "os": "Apache/" + version + " (Unix)", "full": "Apache/" + version + " (Unix)",
}

func setTokens(s *directive.Scope, a directive.Args) error {
	if err := onlyMain(s, a); err != nil {
		return err
	}
	t, ok := tokens[strings.ToLower(a.Words[0])]
	if !ok {
		return errors.New("ServerTokens takes 1 argument: 'Prod(uctOnly)', 'Major', 'Minor', 'Min(imal)', 'OS', or 'Full'")
	}
	processes.In(s).tokens = t
	return nil
}

// setError is the Error directive: the file's own way to stop a load.
func setError(s *directive.Scope, a directive.Args) error {
	words := strings.TrimSpace(a.Raw)
	if words == "" {
		return errors.New("The Error directive was used with no message.")
	}
	w, rest := apacheconf.Word(words)
	if rest == "" {
		words = w
	}
	return errors.New(words)
}

func setPort(*directive.Scope, directive.Args) error {
	return errors.New("Port was replaced with Listen in Apache 2.0")
}

func setDefaultType(s *directive.Scope, a directive.Args) error {
	if !isNone(a.Words[0]) {
		s.Config.Warn(a.Pos, "core", "AH00117: Ignoring deprecated use of DefaultType in line "+strconv.Itoa(a.Pos.Line)+" of "+a.Pos.File+".")
	}
	return nil
}

func isNone(word string) bool { return strings.EqualFold(word, "none") }

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

// fill copies the process's settings to where the server looks for them.
func (p *processSettings) fill(st *site.Site, pidFile string) {
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
	g.ExtendedStatus = p.extended.Or(true)
	g.RecursionLimit = p.recursion
	g.ServerRoot, g.RuntimeDir = t.ServerRoot, t.RuntimePath("")
	g.Token = or(p.tokens, tokens["full"])
	for i := range p.listen {
		l := &p.listen[i]
		st.Listeners = append(st.Listeners, site.Listener{Address: l.address(), Text: l.text, Proto: l.proto, Pos: l.pos})
	}
}
