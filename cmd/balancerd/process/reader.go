package process

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/log/errorlog"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/mpm"
	"balancerd/proxy/mod/rewrite"
	"balancerd/proxy/mod/ssl"
	"balancerd/proxy/site"
)

// read is the reader: it reads the configuration, and what it names, with all rights that the server was
// started with, hands both over and opens the logs once the main process says that the rest is sound. It knows
// nothing of the network, and ends with its work.
func read(c *cli.Command, p *Program, l *link) int {
	defer l.close()
	tree, err := p.Parse()
	if err != nil {
		l.send(&message{Kind: msgNotRead, Failure: &cli.Failure{Noticed: cli.Notices(tree.Warnings), Words: c.Words(err), After: cli.AfterCheck(err)}})
		return 1
	}
	r := &configReader{Command: c, modules: p.Modules, tree: tree, files: newGatherer(), started: map[string]bool{}}
	m, f, err := r.bundle()
	if err != nil {
		l.send(&message{Kind: msgNotRead, Failure: &cli.Failure{Noticed: cli.Notices(tree.Warnings), Words: c.Name + ": " + err.Error()}})
		return 1
	}
	defer f.Close()
	if err := l.send(m, int(f.Fd())); err != nil {
		return 1
	}
	if m, _, err := l.receive(); err != nil || m.Kind != msgOpenLogs {
		return 1
	}
	list := r.openLogs()
	defer closeAll(list)
	if err := l.sendNamed(msgLogsOpened, list); err != nil {
		return 1
	}
	return 0
}

// configReader gathers what belongs to a configuration that was read.
type configReader struct {
	*cli.Command
	modules []site.Module
	tree    *apacheconf.Tree
	files   *gatherer

	logs     []string        // absolute, in order, each once
	programs []string        // as the configuration names them, in order, each once
	started  map[string]bool // those that programs has
	state    bool            // balancers' state is kept
	phrases  bool            // a program tells pass phrases
}

// bundle is the message with the configuration, and its file.
func (r *configReader) bundle() (*message, *os.File, error) {
	uses := map[string]directive.FileUse{}
	for _, m := range site.Tables(r.modules) {
		for i := range m.Table {
			uses[strings.ToLower(m.Table[i].Name)] = m.Table[i].File
		}
	}
	r.walk(r.tree.Nodes, uses)
	own := ownTree(r.tree, site.Tables(r.modules))
	m := &message{Kind: msgRead, KeepsState: r.state}
	if st, err := ownSite(r.Command, own, nil); err == nil {
		r.log(st.Settings.ErrorLogFile)
		m.Notes = sharedFolders(append(r.logs, st.Settings.PidFile))
	}
	m.Names = r.programs
	if r.phrases {
		r.askPhrases()
	}
	f, err := newBundle(own, r.tree, r.files)
	return m, f, err
}

// walk gathers what directives name.
func (r *configReader) walk(list []apacheconf.Node, uses map[string]directive.FileUse) {
	for _, n := range list {
		switch n := n.(type) {
		case *apacheconf.Section:
			r.walk(n.Children, uses)
		case *apacheconf.Group:
			r.walk(n.Children, uses)
		case *apacheconf.Directive:
			if use := uses[strings.ToLower(n.Name)]; use != directive.NoFile {
				words := apacheconf.Words(n.Args)
				if use == directive.LooksAtMap && len(words) > 1 {
					for _, file := range rewrite.MapFiles(words[1]) {
						r.use(directive.LooksAt, file)
					}
					continue
				}
				if use == directive.LooksAtSecond && len(words) > 1 {
					use, words = directive.LooksAt, words[1:]
				}
				if len(words) > 0 {
					r.use(use, words[0])
				}
			}
		}
	}
}

func (r *configReader) use(use directive.FileUse, word string) {
	switch use {
	case directive.LooksAt:
		r.files.look(r.tree.Path(word))
	case directive.ReadsFile:
		r.files.read(r.tree.Path(word))
	case directive.ReadsFolder:
		r.files.folder(r.tree.Path(word))
	case directive.WritesLog:
		r.log(word)
	case directive.RunsProgram:
		if program, exec := strings.CutPrefix(word, "exec:"); exec {
			r.files.look(r.tree.Path(program))
			r.phrases = true
		}
	case directive.KeepsState:
		r.state = r.state || strings.EqualFold(word, "on")
	}
}

// log notes a target of logs.
func (r *configReader) log(target string) {
	switch {
	case target == "" || sink.IsSyslog(target):
	case sink.Piped(target):
		if !r.started[target] {
			r.started[target] = true
			r.programs = append(r.programs, target)
		}
	default:
		path := r.tree.Path(target)
		r.files.look(filepath.Dir(path))
		r.logs = append(r.logs, path)
	}
}

// askPhrases has mod_ssl ask for the pass phrases of its keys, whatever else is wrong.
func (r *configReader) askPhrases() {
	c, err := directive.Bind(r.tree, directive.Options{SkipDocumentRoot: true, Files: r.files}, site.Tables(r.modules)...)
	if err != nil {
		return
	}
	if st, err := site.Build(c, []site.Module{core.Module(), mpm.Module(), ssl.Module()}, site.Options{}); err == nil {
		st.Close()
	}
}

// openLogs opens all logs that are files.
func (r *configReader) openLogs() (list []named) {
	slices.Sort(r.logs)
	for _, path := range slices.Compact(r.logs) {
		f, err := sink.OpenFile(path)
		if err != nil {
			list = append(list, named{name: path, errno: errnoIn(err)})
			continue
		}
		fd, err := detach(f)
		f.Close()
		list = append(list, named{name: path, fd: fd, errno: errnoIn(err)})
	}
	return list
}

// sharedFolders are lines about folders in which the main process makes files and others may, too. It
// follows no link of theirs there, but they can take the files away.
func sharedFolders(paths []string) (lines []string) {
	if os.Geteuid() != 0 {
		return nil
	}
	seen := map[string]bool{}
	for _, path := range paths {
		dir := filepath.Dir(path)
		if seen[dir] {
			continue
		}
		seen[dir] = true
		d, err := sink.OpenFolder(dir)
		if err != nil {
			continue
		}
		if d.Shared() {
			lines = append(lines, "hint: others than root may write to "+dir+", where root keeps "+filepath.Base(path)+": links in it are not followed")
		}
		d.Close()
	}
	return lines
}

// ownTree is the part of a configuration that the main process obeys: what is about the process itself,
// outside of all sections.
func ownTree(t *apacheconf.Tree, tables []directive.Module) *apacheconf.Tree {
	about := map[string]bool{}
	for _, m := range tables {
		for i := range m.Table {
			if m.Table[i].Process {
				about[strings.ToLower(m.Table[i].Name)] = true
			}
		}
	}
	own := &apacheconf.Tree{File: t.File, ServerRoot: t.ServerRoot, RuntimeDir: t.RuntimeDir, Loaded: t.Loaded, Partial: t.Partial}
	var walk func([]apacheconf.Node)
	walk = func(list []apacheconf.Node) {
		for _, n := range list {
			switch n := n.(type) {
			case *apacheconf.Group:
				walk(n.Children)
			case *apacheconf.Directive:
				if about[strings.ToLower(n.Name)] {
					own.Nodes = append(own.Nodes, n)
				}
			}
		}
	}
	walk(t.Nodes)
	if !slices.ContainsFunc(own.Nodes, func(n apacheconf.Node) bool { return strings.EqualFold(n.(*apacheconf.Directive).Name, "ServerName") }) {
		own.Nodes = append(own.Nodes, &apacheconf.Directive{Name: "ServerName", Args: "localhost"}) // nobody needs to look it up
	}
	return own
}

// ownSite is what the main process obeys: addresses, the pid file, the user, its log. Without openLog no
// log is opened.
func ownSite(c *cli.Command, own *apacheconf.Tree, openLog func(string) (*os.File, error)) (*site.Site, error) {
	mods := []site.Module{core.Module(), mpm.Module(c.Layout.Pid), errorlog.Module(c.Layout.Errors, c.Name)}
	conf, err := directive.Bind(own, directive.Options{OpenLog: openLog}, site.Tables(mods)...)
	if err != nil {
		return nil, err
	}
	return site.Build(conf, mods, site.Options{Checking: openLog == nil})
}
