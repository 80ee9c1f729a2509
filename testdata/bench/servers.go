package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"
)

//go:embed conf
var confs embed.FS

// server is one that is measured.
type server struct {
	name     string
	programs []string // where it may be; the first that is there counts
	install  string   // how to get it on Debian
	conf     string   // its configuration in conf/
	args     func(conf, run string) []string

	program string
	ports   [variants]int
	*process
}

// ownConf is the configuration of httpd and balancerd.
const ownConf = "httpd.conf"

func apacheArgs(conf, _ string) []string { return []string{"-f", conf, "-DFOREGROUND"} }

// known are the peers.
var known = []server{
	{name: "nginx", programs: []string{"nginx", "/usr/sbin/nginx"}, install: "apt-get install nginx-light", conf: "nginx.conf",
		args: func(conf, run string) []string { return []string{"-p", run, "-c", conf} }},
	{name: "haproxy", programs: []string{"haproxy", "/usr/sbin/haproxy"}, install: "apt-get install haproxy", conf: "haproxy.cfg",
		args: func(conf, _ string) []string { return []string{"-db", "-f", conf} }},
	{name: "httpd", programs: []string{"/usr/sbin/apache2", "/usr/sbin/httpd", "apache2", "httpd"}, install: "apt-get install apache2", conf: ownConf, args: apacheArgs},
}

// line-up is who is measured: the peers that are there, then balancerd and its other builds.
func lineUp(ctx context.Context, o *options, run string) ([]*server, error) {
	var out []*server
	for _, name := range o.peers {
		i := slices.IndexFunc(known, func(s server) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no peer %q; there are nginx, haproxy, httpd", name)
		}
		s := known[i]
		if s.program = find(s.programs); s.program == "" {
			fmt.Fprintf(os.Stderr, "%s is missing: %s\n", s.name, s.install)
			continue
		}
		out = append(out, &s)
	}
	own := filepath.Join(run, "balancerd")
	if err := buildOwn(ctx, o, run, own); err != nil {
		return nil, err
	}
	out = append(out, &server{name: "balancerd", program: own, conf: ownConf, args: apacheArgs})
	for _, a := range o.also {
		name, program, ok := strings.Cut(a, "=")
		if !ok {
			return nil, fmt.Errorf("--also %s: NAME=PROGRAM", a)
		}
		out = append(out, &server{name: name, program: program, conf: ownConf, args: apacheArgs})
	}
	return out, nil
}

// buildOwn builds this checkout's balancerd.
func buildOwn(ctx context.Context, o *options, run, program string) error {
	args := []string{"build", "-o", program}
	if o.profile != "" {
		more, err := overlay(o.root, run)
		if err != nil {
			return err
		}
		args = append(args, more...)
	}
	build := exec.CommandContext(ctx, "go", append(args, "./cmd/balancerd")...)
	build.Dir = o.root
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./cmd/balancerd: %w\n%s", err, text)
	}
	return nil
}

func find(programs []string) string {
	for _, p := range programs {
		if path, err := exec.LookPath(p); err == nil {
			return path
		}
	}
	return ""
}

// facts are what a configuration is made of.
type facts struct {
	Name, Run, Modules string
	Root               bool
	Plain, TLS         int // ports
	Located, Edited    int
	Sticky, Logged     int
	Everything, Spoken int
	Back1, Back2       int
	AJP, SCGI          int // of the member that speaks them
	CPUs               int
	Body               string
}

func (s *server) facts(f facts) facts {
	f.Name = s.name
	f.Plain, f.TLS, f.Located, f.Edited, f.Sticky, f.Logged, f.Everything, f.Spoken =
		s.ports[plain], s.ports[tlsPort], s.ports[located], s.ports[edited], s.ports[sticky], s.ports[logged], s.ports[everything], s.ports[spoken]
	return f
}

// start writes the configuration and runs the server until it listens.
func (s *server) start(ctx context.Context, f facts) error {
	conf, err := render(s.conf, s.name, s.facts(f))
	if err != nil {
		return err
	}
	if s.process, err = startProcess(f.Run, s.name, s.program, s.args(conf, f.Run)...); err != nil {
		return err
	}
	return s.listens(ctx, s.ports[:]...)
}

// render makes a configuration of a template; the file is named for who reads it.
func render(conf, name string, f facts) (string, error) {
	t, err := template.ParseFS(confs, "conf/"+conf)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, f); err != nil {
		return "", err
	}
	path := filepath.Join(f.Run, name+".conf")
	return path, os.WriteFile(path, b.Bytes(), 0o644)
}

// modules is where httpd's modules are.
func modules() string {
	for _, d := range []string{"/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/libexec/apache2"} {
		if _, err := os.Stat(d); err == nil {
			return d
		}
	}
	return "modules"
}

// version is the first line of what a server says of itself.
func (s *server) version() string {
	for _, flag := range []string{"-v", "version"} {
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
		text, err := exec.CommandContext(ctx, s.program, flag).CombinedOutput()
		stop()
		if line, _, _ := strings.Cut(string(text), "\n"); err == nil && line != "" {
			return line
		}
	}
	return ""
}
