package accesslog

import (
	"context"
	"errors"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

func TestNamesAreAskedForOnce(t *testing.T) {
	asked := 0
	n := newNames()
	n.lookup = func(_ context.Context, ip string) ([]string, error) {
		if asked++; ip == "192.0.2.1" {
			return []string{"Client.Example.", "other."}, nil
		}
		return nil, errors.New("no such name")
	}
	for range 3 {
		if got := n.of(&exchange.Exchange{}, "192.0.2.1"); got != "client.example" {
			t.Error(got)
		}
		if got := n.of(&exchange.Exchange{}, "192.0.2.2"); got != "192.0.2.2" {
			t.Error(got)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	n.known["192.0.2.1"] = hostname{"old", time.Now()}
	if got := n.of(&exchange.Exchange{}, "192.0.2.1"); got != "client.example" || asked != 3 {
		t.Error("after its age:", got, asked)
	}
	for i := range 3 * maxNames {
		n.of(&exchange.Exchange{}, string(rune(0x4e00+i)))
	}
	if len(n.known) > maxNames {
		t.Errorf("%d names kept", len(n.known))
	}
}

func TestHostOnlyWithLookups(t *testing.T) {
	x := sample()
	x.Local = &exchange.Local{}
	if got := line(t, "%h", x); got != "192.0.2.1" {
		t.Error(got)
	}
}
