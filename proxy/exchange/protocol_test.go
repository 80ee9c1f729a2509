package exchange_test

import (
	"testing"

	"balancerd/proxy/exchange"
)

// TestPoolThreads holds what httpd's manager shows as max= with ThreadsPerChild 50.
func TestPoolThreads(t *testing.T) {
	for _, c := range []struct {
		h    exchange.HTTP2
		want int
	}{
		{exchange.HTTP2{}, 50}, {exchange.HTTP2{MaxWorkers: 9}, 50}, {exchange.HTTP2{Loaded: true}, 124},
		{exchange.HTTP2{Loaded: true, MinWorkers: 7}, 59}, {exchange.HTTP2{Loaded: true, MaxWorkers: 11}, 60},
		{exchange.HTTP2{Loaded: true, MinWorkers: 30, MaxWorkers: 20}, 69},
	} {
		if got := c.h.PoolThreads(50); got != c.want {
			t.Errorf("%+v: %d, want %d", c.h, got, c.want)
		}
	}
}
