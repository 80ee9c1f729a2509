package static

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

// planOf is the plan of the main server.
func planOf(r *rig) *plan { return newPlan([]*directive.Scope{r.Site.Config.Main}, "") }
