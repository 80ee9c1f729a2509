package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// profiled is a file that a build for a profile has beside balancerd's own.
//
//go:embed profiled.txt
var profiled []byte

// profile puts load on balancerd and writes what its processors did: go build takes
// cmd/balancerd/default.pgo as advice.
func profile(ctx context.Context, o *options, chosen []*one) error {
	shared, err := os.MkdirTemp("", "balancerd-profile-") // the server may run as somebody else
	if err != nil {
		return err
	}
	defer os.RemoveAll(shared)
	if err := os.Chmod(shared, 0o777); err != nil {
		return err
	}
	name := filepath.Join(shared, "cpu")
	os.Setenv("BENCH_PROFILE", name)
	o.peers, o.also, o.rounds = nil, nil, 1
	r := &rig{o: o, samples: &samples{}}
	defer r.stop()
	if err := r.start(ctx); err != nil {
		return err
	}
	for _, c := range chosen {
		if c.kind == loaded {
			if err := r.once(ctx, c, r.servers[0], 0); err != nil {
				return err
			}
		}
	}
	r.servers[0].cmd.Process.Signal(syscall.SIGUSR2)
	for range 100 {
		if _, err = os.Stat(name); err == nil || ctx.Err() != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(o.profile, text, 0o644)
}

// overlay is the go command's word for a build with profiled.txt.
func overlay(root, run string) ([]string, error) {
	extra, list := filepath.Join(run, "profiled.go"), filepath.Join(run, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "cmd/balancerd/profiled.go"): extra}})
	if err := cmp.Or(err, os.WriteFile(extra, profiled, 0o644), os.WriteFile(list, text, 0o644)); err != nil {
		return nil, err
	}
	return []string{"-overlay", list, "-pgo=off", "-trimpath"}, nil
}
