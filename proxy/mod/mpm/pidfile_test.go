package mpm

import (
	"testing"

	"balancerd/apacheconf"
)

func TestDefaultPidFile(t *testing.T) {
	for _, c := range []struct{ compiled, runtimeDir, want string }{
		{"/run/apache2.pid", "/var/run/x", "/run/apache2.pid"}, {"run/httpd.pid", "", "/srv/run/httpd.pid"},
		{"run/httpd.pid", "/var/run/x", "/var/run/x/httpd.pid"}, {"", "", "/srv/logs/httpd.pid"},
	} {
		if got := defaultPidFile(&apacheconf.Tree{ServerRoot: "/srv", RuntimeDir: c.runtimeDir}, c.compiled); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
