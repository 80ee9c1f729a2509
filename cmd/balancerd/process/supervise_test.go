package process

import (
	"os"
	"path/filepath"
	"testing"

	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/site"
)

// A replaced configuration's logs and programs end whether its last request ends before or after the main process hears
// that the next one serves.
func TestReplacedConfigurationsAreLetGo(t *testing.T) {
	s := &supervisor{old: map[int]*configuration{}}
	var list []*configuration
	for g := range 3 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, &configuration{generation: g, f: f, site: &site.Site{}})
	}
	held := func(c *configuration) bool { _, err := c.f.Stat(); return err == nil }
	over := func(g int) { s.handle(&received{m: &message{Kind: msgOver, Generation: g}}) }
	s.inForce(list[0])
	over(0)
	if !held(list[0]) {
		t.Error("the one in force is let go")
	}
	s.inForce(list[1])
	if held(list[0]) {
		t.Error("the one that was over before is held")
	}
	s.inForce(list[2])
	if !held(list[1]) {
		t.Error("one that is still used is let go")
	}
	over(1)
	if held(list[1]) || !held(list[2]) || len(s.old) > 0 {
		t.Error("the one that was over afterwards is held")
	}
}

// A pid file that can't be written leaves the one before.
func TestPidFileThatMoves(t *testing.T) {
	dir := t.TempDir()
	s := &supervisor{Command: &cli.Command{Options: &cli.Options{}}}
	name := func(path string) *site.Site {
		own := &site.Site{}
		own.Settings.PidFile = filepath.Join(dir, path)
		return own
	}
	if err := s.writePid(name("one")); err != nil {
		t.Fatal(err)
	}
	if err := s.writePid(name("none/two")); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(filepath.Join(dir, "one")); err != nil || s.pid.Path != filepath.Join(dir, "one") {
		t.Error("the file before:", err, s.pid.Path)
	}
	if err := s.writePid(name("two")); err != nil {
		t.Fatal(err)
	}
	if list, _ := filepath.Glob(dir + "/*"); len(list) != 1 || filepath.Base(list[0]) != "two" {
		t.Error(list)
	}
}
