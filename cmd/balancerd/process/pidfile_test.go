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
