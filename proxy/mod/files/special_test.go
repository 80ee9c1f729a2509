package files

import (
	"syscall"
	"testing"

	"balancerd/apacheconf/directive"
)

func mkfifo(t testing.TB, name string) {
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
}

// plan is the plan of the main server.
func planOf(r *rig, t testing.TB) *plan {
	c := r.Site.Config
	return &plan{dir: dirs.Merged(c.Main), mime: newMimeMap(mimes.Merged(c.Main), nil), levels: levels([]*directive.Scope{c.Main})}
}
