package process

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Root signals no process on the word of a user whose process it is not.
func TestPidFileOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root is careful here")
	}
	p := PidFile{Path: filepath.Join(t.TempDir(), "pid")}
	if err := os.WriteFile(p.Path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if pid, err := p.read(); pid != os.Getpid() || err != nil {
		t.Error(pid, err)
	}
	if err := os.Chown(p.Path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := p.read(); !errors.Is(err, errForeign) {
		t.Error(err)
	}
}

// A reload leaves a pid file alone that is right, and makes it anew when it went away.
func TestPidFileAtAReload(t *testing.T) {
	p := PidFile{Path: filepath.Join(t.TempDir(), "pid")}
	writes := func() os.FileInfo {
		t.Helper()
		if _, err := p.write(); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(p.Path)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	first := writes()
	if !os.SameFile(first, writes()) {
		t.Error("it was written again")
	}
	if err := os.WriteFile(p.Path, []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	writes()
	if pid, err := p.read(); pid != os.Getpid() || err != nil {
		t.Error("overwritten by somebody:", pid, err)
	}
	if err := os.Remove(p.Path); err != nil {
		t.Fatal(err)
	}
	writes()
}
