package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	small  = 1 << 10
	medium = 100 << 10
	large  = 1 << 20
)

// bodies are the paths that backends know and how much they answer.
var bodies = map[string]int{"/1k": small, "/post": small, "/100k": medium, "/1m": large}

// startBackend runs what answers: nginx, or this program where there is none.
func startBackend(ctx context.Context, o *options, f facts) (*process, error) {
	if err := writeFiles(f.Run); err != nil {
		return nil, err
	}
	nginx := find(known[0].programs)
	own, err := os.Executable()
	if err != nil {
		return nil, err
	}
	conf, err := render("backend.conf", "backend", f)
	if err != nil {
		return nil, err
	}
	program, args := nginx, []string{"-p", f.Run, "-c", conf}
	if o.backend == "go" || o.backend == "auto" && nginx == "" {
		program, args = own, []string{"backend", strconv.Itoa(f.Back1), strconv.Itoa(f.Back2)}
	}
	p, err := startProcess(f.Run, "backend", program, args...)
	if err != nil {
		return nil, err
	}
	return p, p.listens(ctx, f.Back1, f.Back2)
}

func writeFiles(run string) error {
	dir := filepath.Join(run, "files")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for path, n := range bodies {
		if err := os.WriteFile(filepath.Join(dir, path), make([]byte, n), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// serveBackend answers on the ports until the process is ended.
func serveBackend(ports []string) error {
	failed := make(chan error)
	for _, p := range ports {
		go func() { failed <- http.ListenAndServe("127.0.0.1:"+p, backend()) }()
	}
	return <-failed
}

func backend() http.Handler {
	mux := http.NewServeMux()
	for path, n := range bodies {
		body := []byte(strings.Repeat("x", n))
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.Write(body)
		})
	}
	return mux
}

// checkTools says what has to be there.
func checkTools() error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return fmt.Errorf("wrk is missing: apt-get install wrk")
	}
	return nil
}
