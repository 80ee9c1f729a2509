package main

import (
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/site"
	"balancerd/testdata/linear"
)

// compiled is the program under test, built once.
var compiled struct {
	once sync.Once
	dir  string
	err  error
	said []byte
}

// buildServer is the path of the program, with the race detector when the tests have it.
func buildServer(t *testing.T) string {
	t.Helper()
	compiled.once.Do(func() {
		if compiled.dir, compiled.err = os.MkdirTemp("", "balancerd-test-"); compiled.err != nil {
			return
		}
		args := []string{"build", "-o", filepath.Join(compiled.dir, "balancerd")}
		if linear.Race {
			args = append(args, "-race")
		}
		if poisoned {
			args = append(args, "-tags", "poison")
		}
		compiled.said, compiled.err = exec.Command("go", append(args, ".")...).CombinedOutput()
	})
	if compiled.err != nil {
		t.Fatalf("go build: %v\n%s", compiled.err, compiled.said)
	}
	return filepath.Join(compiled.dir, "balancerd")
}

// buildAs is the program under another name.
func buildAs(t *testing.T, name string) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(buildServer(t), link); err != nil {
		t.Fatal(err)
	}
	return link
}

// testModules is the list that the program runs with.
func testModules(t *testing.T) []site.Module {
	t.Helper()
	o, err := cli.Parse([]string{"balancerd", "-d", t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return newLoader(cli.NewCommand(o, io.Discard, io.Discard)).modules
}

// parallel is how many tests run at a time: most of their time they wait for other processes.
const parallel = 6

func TestMain(m *testing.M) {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "test.parallel" })
	if !set {
		flag.Set("test.parallel", strconv.Itoa(parallel))
	}
	exit := m.Run()
	if compiled.dir != "" {
		os.RemoveAll(compiled.dir)
	}
	os.Exit(exit)
}
