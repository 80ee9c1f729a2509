package mime

import (
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/dir"
	"balancerd/proxy/mod/static"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "mime dir alias"

type rig = sitetest.Rig

var (
	tree     = sitetest.Tree
	answered = sitetest.Answered
)

// modules serve files: those whose steps meet in a response.
func modules() []site.Module {
	return []site.Module{core.Module(), sitetest.Member(), Module(), static.Module(), dir.Module()}
}

func serving(t testing.TB, root, conf string) *rig {
	t.Helper()
	return newRig(t, sitetest.Files(t, root)+conf)
}

func newRig(t testing.TB, conf string) *rig {
	t.Helper()
	return sitetest.New(t, preload, conf, modules()...)
}

func refused(conf string) string { return sitetest.Refused(preload, conf, modules()...) }
