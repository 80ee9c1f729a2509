package hostname

import (
	"context"
	"errors"
	"testing"
	"time"

	"balancerd/proxy/exchange"
)

func TestNamesAreAskedForOnce(t *testing.T) {
	asked := 0
	c := Cache[int]{Age: time.Hour, Limit: time.Second, Lookup: func(ctx context.Context, address int) string {
		if _, limited := ctx.Deadline(); !limited {
			t.Error("a look-up may take for ever")
		}
		if asked++; address == 1 {
			return First([]string{"Client.Example.", "other."}, nil)
		}
		return First(nil, errors.New("no such name"))
	}}
	of := func(address int) string { return c.Of(context.Background(), &exchange.Exchange{}, address) }
	for range 3 {
		if one, two := of(1), of(2); one != "client.example" || two != "" {
			t.Error(one, two)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	gone, leave := context.WithCancel(context.Background())
	leave()
	c.Of(gone, &exchange.Exchange{}, 3)
	if _, ok := c.Known(3); ok {
		t.Error("what a look-up said that its client ended is remembered")
	}
	asked = 2
	c.known[1] = entry{"old", time.Now()}
	if got := of(1); got != "client.example" || asked != 3 {
		t.Error("after its age:", got, asked)
	}
	for i := range 3 * maxNames {
		of(i)
	}
	if len(c.known) > maxNames {
		t.Errorf("%d names kept", len(c.known))
	}
}
