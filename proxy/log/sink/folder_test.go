package sink

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func folder(t *testing.T, mode os.FileMode) (*Folder, string) {
	dir := t.TempDir()
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	d, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, dir
}

// asNobody runs a shell command as another user, who prepares what an attacker would.
func asNobody(t *testing.T, command string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	if out, err := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", command).CombinedOutput(); err != nil {
		t.Skipf("setpriv: %v %s", err, out)
	}
}

func secret(t *testing.T) string {
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte("SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A pipe without a reader would hold up a start, and each reload from then on.
func TestPipeThatNobodyReads(t *testing.T) {
	before := readerTime
	readerTime = 50 * time.Millisecond
	t.Cleanup(func() { readerTime = before })
	for _, mode := range []os.FileMode{0o755, 0o777} {
		d, dir := folder(t, mode)
		if err := syscall.Mkfifo(dir+"/log", 0o600); err != nil {
			t.Skip(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := d.Append("log")
			ended <- err
		}()
		select {
		case err := <-ended:
			if !errors.Is(err, syscall.ENXIO) {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it waits for a reader")
		}
		reader, err := os.OpenFile(dir+"/log", os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		f, err := d.Append("log")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if flags, _, e := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_GETFL, 0); e != 0 || flags&syscall.O_NONBLOCK != 0 {
			t.Error("its writes do not wait for room:", e)
		}
	}
}

func TestLinksOfOthersAreNotFollowed(t *testing.T) {
	d, dir := folder(t, 0o777)
	to := secret(t)
	asNobody(t, "ln -s "+to+" "+dir+"/log && ln -s "+to+" "+dir+"/pid")
	if !d.Shared() {
		t.Error("a folder that all may write is not known as one")
	}
	if f, err := d.Append("log"); !errors.Is(err, ErrLink) {
		f.Close()
		t.Error("appended to:", err)
	}
	if _, err := OpenFile(dir + "/log"); !errors.Is(err, ErrLink) {
		t.Error(err)
	}
	if err := d.Replace("pid", []byte("1\n"), 0o644); err != nil {
		t.Error(err)
	}
	if st, err := os.Lstat(dir + "/pid"); err != nil || !st.Mode().IsRegular() || read(t, dir+"/pid") != "1\n" {
		t.Error("the link was not replaced:", st, err)
	}
	if got := read(t, to); got != "SECRET" {
		t.Errorf("the link was followed: %q", got)
	}
	if names, _ := filepath.Glob(dir + "/*"); len(names) != 2 {
		t.Error(names)
	}
}

func TestSecondNamesAreNotAppendedTo(t *testing.T) {
	d, dir := folder(t, 0o777)
	to := secret(t)
	if err := os.Link(to, dir+"/log"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Append("log"); !errors.Is(err, ErrLink) {
		t.Error(err)
	}
}

// Where nobody else writes, links are the administrator's: a container's logs lead to /dev/stdout.
func TestOwnLinksAreFollowed(t *testing.T) {
	for _, mode := range []os.FileMode{0o755, 0o777} {
		if mode == 0o777 && os.Geteuid() != 0 {
			continue // a link of a user who is not root is one of others there
		}
		d, dir := folder(t, mode)
		to := secret(t)
		if err := os.Symlink(to, dir+"/log"); err != nil {
			t.Fatal(err)
		}
		f, err := d.Append("log")
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString(" line")
		f.Close()
		if got := read(t, to); got != "SECRET line" {
			t.Errorf("%o: %q", mode, got)
		}
	}
}

func TestReplaceAndRemove(t *testing.T) {
	d, dir := folder(t, 0o755)
	for _, text := range []string{"one", "two"} {
		if err := d.Replace("f", []byte(text), 0o640); err != nil || read(t, dir+"/f") != text {
			t.Error(err, read(t, dir+"/f"))
		}
	}
	if st, _ := os.Stat(dir + "/f"); st.Mode().Perm() != 0o640 {
		t.Error(st.Mode())
	}
	if err := d.Remove("f"); err != nil {
		t.Error(err)
	}
	if err := d.Remove("f"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), dir+"/f") {
		t.Error(err)
	}
}

func TestGive(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives away")
	}
	d, dir := folder(t, 0o777)
	f, err := d.Give("state", 65534, 65534)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	asNobody(t, "echo x > "+dir+"/state/a")
	if f, err = d.Give("state", 65534, 65534); err != nil {
		t.Error("the second time:", err)
	} else {
		f.Close()
	}
	// A folder of root's with a file of root's in it that was moved there is not given away, nor is a link followed.
	os.Mkdir(dir+"/roots", 0o700)
	os.Mkdir(dir+"/x", 0o700)
	asNobody(t, "ln -s "+dir+"/roots "+dir+"/link")
	for _, name := range []string{"roots", "link"} {
		if _, err := d.Give(name, 65534, 65534); err == nil {
			t.Error(name, "was given away")
		}
	}
	own, ownDir := folder(t, 0o755)
	os.Mkdir(ownDir+"/state", 0o700)
	os.WriteFile(ownDir+"/state/a", nil, 0o600)
	if f, err = own.Give("state", 65534, 65534); err != nil {
		t.Fatal(err)
	}
	f.Close()
	os.Chmod(ownDir, 0o755)
	os.Chmod(filepath.Dir(ownDir), 0o755)
	asNobody(t, "echo y >> "+ownDir+"/state/a")
	if read(t, ownDir+"/state/a") != "y\n" {
		t.Error("what root had made there was not given away")
	}
}
