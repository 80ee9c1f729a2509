package headers

import (
	"context"
	"os"
	"strings"
	"sync/atomic"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// loadAverage is %l: how many processes wanted to run in the last 1, 5 and 15 minutes.
func loadAverage(*exchange.Exchange) string {
	b, _ := os.ReadFile("/proc/loadavg")
	f := strings.Fields(string(b))
	if len(f) < 3 {
		return "l=-1.00/-1.00/-1.00" // httpd: mpm_common.c ap_get_loadavg
	}
	return "l=" + f[0] + "/" + f[1] + "/" + f[2]
}

// meter counts the exchanges under way, for %i and %b. It exists in configurations that use these.
type meter struct {
	total int64 // MaxRequestWorkers; written before the first request
	busy  atomic.Int64
}

var meters = directive.NewKey("headers load", func(outer, _ *meter) *meter { return outer })

// step counts an exchange in until it is over.
func (m *meter) step(_ context.Context, x *exchange.Exchange) error {
	m.busy.Add(1)
	x.OnFinish(m)
	return nil
}

// Finish counts it out.
func (m *meter) Finish(*exchange.Exchange) { m.busy.Add(-1) }

// usualWorkers is MaxRequestWorkers where the configuration has none (httpd: event.c).
const usualWorkers = 400

// percent is how many of a hundred workers would be busy.
func (m *meter) percent() int64 {
	total := m.total
	if total <= 0 {
		total = usualWorkers
	}
	return min(100, m.busy.Load()*100/total)
}

// usage is %i or %b: the percentage of idle or busy workers.
func (d *reader) usage(letter byte) item {
	m := meters.Merged(d.scope.Config.Main)
	if m == nil {
		m = new(meter) // of an access file: nobody counts, unless the configuration asks for it, too
		if !d.scope.Config.InAccessFile() {
			*meters.In(d.scope.Config.Main) = m
		}
	}
	return func(x *exchange.Exchange) string {
		busy := m.percent()
		if letter == 'i' {
			return labelled(x, "i=", 100-busy)
		}
		return labelled(x, "b=", busy)
	}
}
