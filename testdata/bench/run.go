package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// rig is what stands while a measurement runs.
type rig struct {
	o       *options
	facts   facts
	servers []*server
	backend *process
	member  *process // of other protocols
	samples *samples
}

// measure starts everything, measures the cases, and ends everything.
func measure(ctx context.Context, o *options, chosen []*one, s *samples) error {
	r := &rig{o: o, samples: s}
	var loads []*one
	for _, c := range chosen {
		if c.kind != picks {
			loads = append(loads, c)
		}
	}
	if len(loads) > 0 {
		defer r.stop()
		if err := r.start(ctx); err != nil {
			return err
		}
		r.announce(loads)
	}
	for _, c := range chosen {
		if c.kind != loaded {
			if err := r.special(ctx, c); err != nil {
				return err
			}
		}
	}
	for round := range o.rounds {
		if err := r.round(ctx, loads, round); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) start(ctx context.Context) (err error) {
	if err := checkTools(); err != nil {
		return err
	}
	raiseFiles()
	if err := r.prepare(); err != nil {
		return err
	}
	if r.servers, err = lineUp(ctx, r.o, r.facts.Run); err != nil {
		return err
	}
	if r.backend, err = startBackend(ctx, r.o, r.facts); err != nil {
		return err
	}
	if r.member, err = startMember(ctx, r.facts); err != nil {
		return err
	}
	port := r.o.port + 4
	for _, s := range r.servers {
		for d := range s.ports {
			s.ports[d] = port
			port++
		}
		if err := s.start(ctx, r.facts); err != nil {
			return err
		}
	}
	return r.check()
}

// prepare makes the folder that all of them work in.
func (r *rig) prepare() error {
	run, err := os.MkdirTemp("", "balancerd-bench-")
	if err != nil {
		return err
	}
	r.facts = facts{Run: run, Modules: modules(), Root: os.Getuid() == 0, CPUs: runtime.NumCPU(),
		Back1: r.o.port, Back2: r.o.port + 1, AJP: r.o.port + 2, SCGI: r.o.port + 3, Body: strings.Repeat("x", small)}
	for _, script := range []string{"post.lua", "pause.lua"} {
		text, err := confs.ReadFile("conf/" + script)
		if err == nil {
			err = os.WriteFile(filepath.Join(run, script), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	if err := os.Chmod(run, 0o755); err != nil { // workers run as somebody else
		return err
	}
	return writeCertificate(run)
}

// raiseFiles lets this process and its children have as many connections as they may.
func raiseFiles() {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
}

// stop ends what was started and takes its folder away.
func (r *rig) stop() {
	for _, s := range r.servers {
		if s.process != nil {
			s.stop()
		}
	}
	for _, p := range []*process{r.backend, r.member} {
		if p != nil {
			p.stop()
		}
	}
	if r.facts.Run != "" {
		os.RemoveAll(r.facts.Run)
	}
}

// announce says who takes part and how long it will take.
func (r *rig) announce(chosen []*one) {
	r.samples.note = machine(r.o)
	var names []string
	for _, s := range r.servers {
		names = append(names, s.name)
		r.samples.note = append(r.samples.note, s.name+": "+s.version())
	}
	took := time.Duration(0)
	for _, c := range chosen {
		if c.kind == loaded {
			took += time.Duration(float64(r.o.rounds*len(r.servers)) * (max(1, r.o.seconds) + 0.1) * float64(time.Second))
		} else {
			took += time.Duration(len(r.servers)) * 4 * time.Second
		}
	}
	fmt.Printf("%s: %d cases, %d rounds, about %s\n", strings.Join(names, ", "), len(chosen), r.o.rounds, took.Round(time.Second))
}

// special measures a case that needs no load.
func (r *rig) special(ctx context.Context, c *one) error {
	if c.kind == picks {
		return pickCosts(ctx, r.o.root, r.samples)
	}
	return r.idle(ctx, c)
}

// round measures all cases, in each every server, another one first each time: what else the machine
// does then meets them alike.
func (r *rig) round(ctx context.Context, chosen []*one, round int) error {
	for _, c := range chosen {
		for i := range r.servers {
			s := r.servers[(i+round)%len(r.servers)]
			if c.kind != loaded || !c.can(s) {
				continue
			}
			if err := r.once(ctx, c, s, round); err != nil {
				return err
			}
		}
	}
	return r.samples.write()
}

func (r *rig) once(ctx context.Context, c *one, s *server, round int) error {
	before := s.cpu()
	res, err := load(ctx, r.facts.Run, c, s.ports[c.variant], r.o.seconds)
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return err
	}
	used := s.cpu() - before
	r.truncate(s)
	if res.requests < 10 {
		fmt.Printf("  %-9s %-10s round %d: no answers %s\n", c.name, s.name, round+1, res.trouble)
		return nil
	}
	us := float64(used.Microseconds()) / float64(res.requests)
	fmt.Printf("  %-9s %-10s round %d/%d: %8.2f us/request %9.0f requests/s  p99 %v %s\n", c.name, s.name, round+1, r.o.rounds, us, res.rate, res.p99, res.trouble)
	r.samples.add(sample{c.name, s.name, "us", us})
	r.samples.add(sample{c.name, s.name, "rps", res.rate})
	r.samples.add(sample{c.name, s.name, "p99", float64(res.p99.Microseconds()) / 1000})
	return nil
}

// truncate keeps access logs from filling the disk: they are only written at their end.
func (r *rig) truncate(s *server) {
	for _, end := range []string{".access", ".out"} {
		if end == ".out" && s.name != "haproxy" {
			continue
		}
		os.Truncate(filepath.Join(r.facts.Run, s.name+end), 0)
	}
}

// idle measures memory under clients that keep their connections.
func (r *rig) idle(ctx context.Context, c *one) error {
	for _, s := range r.servers {
		base := s.memory("status", "VmRSS")
		h, alive := gather(ctx, r.o.idle, "127.0.0.1:"+strconv.Itoa(s.ports[c.variant]), c.path)
		time.Sleep(2 * time.Second)
		rss, pss := s.memory("status", "VmRSS"), s.memory("smaps_rollup", "Pss")
		h.close()
		if err := ctx.Err(); err != nil {
			return err
		}
		fmt.Printf("  %-9s %-10s %d of %d clients: %d KiB (before %d), PSS %d\n", c.name, s.name, alive, r.o.idle, rss, base, pss)
		r.samples.add(sample{c.name, s.name, "base", float64(base)})
		r.samples.add(sample{c.name, s.name, "rss", float64(rss)})
		r.samples.add(sample{c.name, s.name, "pss", float64(pss)})
		time.Sleep(time.Second)
	}
	return nil
}

// machine describes where the figures come from.
func machine(o *options) []string {
	return []string{
		fmt.Sprintf("%d CPUs (%s), %s; load generator, servers and backends share them", runtime.NumCPU(), cpuModel(), runtime.GOOS),
		fmt.Sprintf("medians of %d rounds of %s; TCP_DEFER_ACCEPT on for all; %s", o.rounds, duration(o.seconds), runtime.Version()),
	}
}

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, " \t:"))
		}
	}
	return runtime.GOARCH
}
