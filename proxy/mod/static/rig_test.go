package static

import (
	"os"
	"path/filepath"
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/dir"
	"balancerd/proxy/mod/mime"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "mime dir alias"

type rig = sitetest.Rig

var (
	tree     = sitetest.Tree
	body     = sitetest.Body
	answered = sitetest.Answered
)

// modules serve files: those whose steps meet in a response.
func modules() []site.Module {
	return []site.Module{core.Module(), sitetest.Member(), mime.Module(), Module(), dir.Module()}
}

func serving(t testing.TB, root, conf string) *rig {
	t.Helper()
	types := filepath.Join(t.TempDir(), "mime.types")
	os.WriteFile(types, []byte("# comment\ntext/html html htm\ntext/plain txt\n"), 0o600)
	return newRig(t, "DocumentRoot "+root+"\nTypesConfig "+types+"\n"+conf)
}

func newRig(t testing.TB, conf string) *rig {
	t.Helper()
	return sitetest.New(t, preload, conf, modules()...)
}

func refused(conf string) string { return sitetest.Refused(preload, conf, modules()...) }
