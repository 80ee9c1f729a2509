package method

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/balancer"
)

func TestTable(t *testing.T) {
	var names []string
	for _, m := range Builtin(new(Heartbeat)) {
		names = append(names, m.Name)
		if m.Best == nil {
			t.Error(m.Name)
		}
	}
	if got := strings.Join(names, " "); got != "heartbeat byrequests bybusyness bytraffic" {
		t.Error(got)
	}
}

// farm is balancer://c with these members by heartbeat.
func farm(t *testing.T, h *Heartbeat, urls ...string) *balancer.Balancer {
	t.Helper()
	spec := balancer.Spec{VHost: "p1", Name: "balancer://c", Settings: balancer.NewBalancerSettings(), Env: balancer.Env{Methods: []string{"heartbeat"}}}
	spec.Settings.Method = balancer.Some("heartbeat")
	for _, u := range urls {
		url, status, _ := strings.Cut(u, " ")
		a, err := balancer.ParseAddress(url, "", false)
		if err != nil {
			t.Fatal(err)
		}
		w := balancer.WorkerSpec{Address: a, Settings: balancer.NewWorkerSettings()}
		if err := w.Settings.Set("status", status, balancer.Env{}); err != nil {
			t.Fatal(err)
		}
		spec.Members = append(spec.Members, w)
	}
	f := balancer.NewFarm(Builtin(h), nil)
	r, err := f.Plan(context.Background(), slices.Values([]balancer.Spec{spec}), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Commit(r)
	return f.Balancer("p1", "c")
}

// TestHeartbeat is what httpd 2.4.71 picked by these files; two members share an address.
func TestHeartbeat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hb.dat")
	h := new(Heartbeat)
	b := farm(t, h, "http://127.0.0.1:1", "http://127.0.0.1:2")
	if _, err := b.Claim(nil, time.Now()); !errors.Is(err, balancer.ErrAllInError) {
		t.Error("without a file:", err)
	}
	h.SetStorage(path)
	_, err := b.Claim(nil, time.Now())
	var news *balancer.MethodDataError
	if !errors.Is(err, balancer.ErrAllInError) || !errors.As(err, &news) || !errors.Is(err, os.ErrNotExist) || news.Method != "heartbeat" {
		t.Error("unreadable:", err)
	}
	for text, want := range map[string]string{
		"127.0.0.1 &ready=5&busy=1&lastseen=9\n":          "2",
		"127.0.0.1 &ready=5&busy=1&lastseen=10\n":         "503",
		"127.0.0.1 &ready=3&busy=0&lastseen=1\n":          "503",
		"127.0.0.1 &ready=4&busy=0&lastseen=1\n":          "2",
		"127.0.0.1 &ready=4&busy=0&lastseen=1":            "2",
		"127.0.0.1 &READY=4&bu%73y=1\n":                   "2",
		"127.0.0.1 ready=4&busy=2\n# x\n":                 "2",
		"127.0.0.1 &ready=0&busy=1\n":                     "503",
		"127.0.0.1 &ready=-5&busy=1\n":                    "503",
		"# 127.0.0.1 &ready=5&busy=1\n\nx\n":              "503",
		"127.0.0.2 &ready=5&busy=1\n":                     "503",
		"127.0.0.1 &ready=0&busy=1\n127.0.0.1 &ready=5\n": "2",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 8 {
			got := "503"
			if c, err := b.Claim(nil, time.Now()); err == nil {
				got = fmt.Sprint(c.Worker.Address().Port)
			}
			if got != want {
				t.Errorf("%q: %s, want %s", text, got, want)
			}
		}
	}
}

// TestHeartbeatIgnoresRoles: sets, spares, standbys and draining mean nothing to it.
func TestHeartbeatIgnoresRoles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hb.dat")
	if err := os.WriteFile(path, []byte("b &ready=9&busy=1\na &ready=0&busy=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := new(Heartbeat)
	h.SetStorage(path)
	for status, want := range map[string]bool{"+N": true, "+H": true, "+R": true, "+D": false, "+S": false, "+C": false} {
		c, err := farm(t, h, "http://a", "http://b "+status).Claim(nil, time.Now())
		if (err == nil) != want || err == nil && c.Worker.Address().Host != "b" {
			t.Errorf("%s: %v %v", status, c.Worker, err)
		}
	}
}

// TestShares: each idle thread is as likely as any other, and the number above them is the last
// server's.
func TestShares(t *testing.T) {
	b := farm(t, new(Heartbeat), "http://a", "http://b", "http://c")
	for pick, want := range []string{"a", "a", "b", "b", "c", "c"} {
		servers := parseBeats("a &ready=2&busy=1\nb &ready=2&busy=1\nc &ready=1&busy=1\n")
		w := mostReady(b.Members(), servers, func(n int) int {
			if n != 6 {
				t.Error("of", n)
			}
			return pick
		})
		if w.Address().Host != want {
			t.Errorf("%d: %s, want %s", pick, w.Address().Host, want)
		}
	}
}
