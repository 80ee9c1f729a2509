package auth

import (
	"testing"

	"balancerd/proxy/site/sitetest"
)

const preload = "authz_core authz_host authz_user authz_groupfile access_compat authn_core authn_file auth_basic"

var (
	body     = sitetest.Body
	answered = sitetest.Answered
	request  = sitetest.Request
	member   = sitetest.Member
)

func newRig(t testing.TB, conf string) *sitetest.Rig {
	t.Helper()
	return sitetest.New(t, preload, conf, modules()...)
}

func refused(conf string) string { return sitetest.Refused(preload, conf, modules()...) }
