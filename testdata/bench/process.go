package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that was started here: its program and all that it started itself.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string // what it printed
	done chan struct{}
}

// startProcess runs a program that ends with this one.
func startProcess(run, name, program string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(run, name+".out"), done: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd = exec.Command(program, args...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = run, out, out
	p.cmd.SysProcAttr = dependent()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// listens waits until the ports take connections, ten seconds at most.
func (p *process) listens(ctx context.Context, ports ...int) error {
	for _, port := range ports {
		for tries := 0; ; tries++ {
			c, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(port), time.Second)
			if err == nil {
				c.Close()
				break
			}
			if tries == 100 || ctx.Err() != nil || p.ended() {
				text, _ := os.ReadFile(p.log)
				return fmt.Errorf("%s does not listen on port %d: %w\n%s", p.name, port, err, text)
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return nil
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop ends the tree: TERM, three seconds, KILL.
func (p *process) stop() {
	tree := p.tree()
	for _, pid := range tree {
		syscall.Kill(pid, syscall.SIGTERM)
	}
	select {
	case <-p.done:
	case <-time.After(3 * time.Second):
	}
	if !p.ended() || len(tree) > 1 {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // its process group
	}
	<-p.done
}

// tree is the numbers of the process and of all that descend from it.
func (p *process) tree() []int { return descend(nil, p.cmd.Process.Pid) }

func descend(list []int, pid int) []int {
	list = append(list, pid)
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range files {
		text, _ := os.ReadFile(f)
		for _, child := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(child); err == nil {
				list = descend(list, n)
			}
		}
	}
	return list
}

const tick = 10 * time.Millisecond // of /proc's times: USER_HZ is 100 everywhere

// cpu is the time that the tree used, with its children that ended.
func (p *process) cpu() (total time.Duration) {
	for _, pid := range p.tree() {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(f) < 15 {
			continue
		}
		for _, field := range f[11:15] { // utime, stime, cutime, cstime
			n, _ := strconv.Atoi(field)
			total += time.Duration(n) * tick
		}
	}
	return total
}

// memory sums a figure in KiB over the tree: VmRSS of status, Pss of smaps_rollup.
func (p *process) memory(file, key string) (sum int) {
	for _, pid := range p.tree() {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == key+":" {
				n, _ := strconv.Atoi(f[1])
				sum += n
			}
		}
	}
	return sum
}
