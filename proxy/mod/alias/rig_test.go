package alias

import (
	"testing"

	"balancerd/proxy/site/sitetest"
)

const preload = "alias"

var (
	body     = sitetest.Body
	answered = sitetest.Answered
	member   = sitetest.Member
)

func newRig(t testing.TB, conf string) *sitetest.Rig {
	t.Helper()
	return sitetest.New(t, preload, conf, modules()...)
}

func refused(conf string) string { return sitetest.Refused(preload, conf, modules()...) }
