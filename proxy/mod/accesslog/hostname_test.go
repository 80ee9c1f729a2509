package accesslog

import (
	"context"
	"testing"

	"balancerd/proxy/exchange"
)

func TestAddressWithoutName(t *testing.T) {
	ctx, over := context.WithCancel(context.Background())
	over()
	if name := nameOrAddress(ctx, "192.0.2.1"); name != "192.0.2.1" {
		t.Error(name)
	}
}

func TestHostOnlyWithLookups(t *testing.T) {
	x := sample()
	x.Local = &exchange.Local{}
	if got := line(t, "%h", x); got != "192.0.2.1" {
		t.Error(got)
	}
}
