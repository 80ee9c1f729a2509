//go:build linux

package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// limit bounds the size of files that the server may write; 0 lifts that.
func (p *instance) limit(size uint64) {
	p.t.Helper()
	l := syscall.Rlimit{Cur: size, Max: 1 << 40}
	if size == 0 {
		l.Cur = l.Max
	}
	_, _, e := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(p.serving()), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&l)), 0, 0, 0)
	if e != 0 {
		p.t.Skip(e)
	}
}

// Without room on the disk an edit holds, is said not to be kept, and leaves the file as it was; with
// room again the next one is kept.
func TestDiskFull(t *testing.T) {
	p := newInstance(t)
	p.conf(`<Proxy balancer://app>
BalancerMember http://{back} route=a
</Proxy>
ProxyPass /app/ balancer://app/
BalancerPersist On
<Location /balancer-manager>
SetHandler balancer-manager
</Location>`)
	p.start()
	nonce := regexp.MustCompile(`nonce=([-0-9a-f]+)`)
	edit := func(set string) string {
		_, page := p.get("/balancer-manager")
		form := url.Values{"b": {"app"}, "w": {"http://" + p.back}, "nonce": {nonce.FindStringSubmatch(page)[1]}, "w_ls": {set}}
		q, _ := http.NewRequest("POST", p.url("/balancer-manager"), strings.NewReader(form.Encode()))
		q.Header.Set("Referer", p.url("/balancer-manager"))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		if r.StatusCode != 200 || !strings.Contains(string(b), "<td>"+set+"</td>") {
			t.Errorf("the edit to %s: %d %s", set, r.StatusCode, b)
		}
		return string(b)
	}
	kept := func() string {
		b, err := os.ReadFile(filepath.Join(p.root, "balancers", "settings.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	const unsaved = "not saved, ends with the server"
	if page := edit("2"); strings.Contains(page, unsaved) || !strings.Contains(kept(), `"lbset":"2"`) {
		t.Fatalf("not kept: %s", kept())
	}
	good := kept()
	p.limit(64)
	if page := edit("3"); !strings.Contains(page, unsaved) {
		t.Error("the page does not say so")
	}
	if status, body := p.get("/app/x"); status != 200 {
		t.Errorf("no service with a full disk: %d %s", status, body)
	}
	if kept() != good {
		t.Errorf("the old file is gone: %s", kept())
	}
	p.limit(0)
	if page := edit("4"); strings.Contains(page, unsaved) || !strings.Contains(kept(), `"lbset":"4"`) {
		t.Errorf("with room again: %s", kept())
	}
	if left, _ := filepath.Glob(filepath.Join(p.root, "balancers", "*.tmp")); len(left) > 0 {
		t.Error(left)
	}
}
