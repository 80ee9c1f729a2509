package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(buildServer(t), "demo")
	dieWithUs(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var said strings.Builder
	b := make([]byte, 4096)
	for !strings.Contains(said.String(), "Interrupt") {
		n, err := out.Read(b)
		if err != nil {
			t.Fatal(err, said.String())
		}
		said.Write(b[:n])
	}
	base := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(said.String())
	who := map[string]int{}
	for range 8 {
		r, err := http.Get(base + "who")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r.Body)
		r.Body.Close()
		who[regexp.MustCompile(`"Name":"(\w+)"`).FindString(string(text))]++
		if r.Header.Get("Set-Cookie") == "" {
			t.Error("no session for a new visitor")
		}
	}
	if len(who) != 3 || who[`"Name":"three"`] != 4 {
		t.Errorf("spread %v", who)
	}
	for path, want := range map[string]string{"": "Answered by member", "balancer-manager": "balancer://demo", "server-status": "Server Version: Apache/2.4"} {
		r, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != 200 || !strings.Contains(string(text), want) {
			t.Errorf("/%s: %d %.200s", path, r.StatusCode, text)
		}
	}
	dir := filepath.Dir(regexp.MustCompile(`/\S+/httpd\.conf`).FindString(said.String()))
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the demo left ", dir)
	}
}
