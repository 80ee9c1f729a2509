package status

import (
	"html/template"
	"time"

	"balancerd/proxy/snapshot"
)

// view is everything that one response shows. The methods are the figures that both ways of printing
// share; the page's template calls them by name.
type view struct {
	snapshot.Server
	Name      string // of this request's server
	Via       string // the address that the client reached
	Version   string
	MPM       string
	Built     string
	PID       int
	Now       time.Time
	CPU       cpu
	Load      [3]float64
	Extended  bool // ExtendedStatus
	Tail      bool // SeeRequestTail: of a long request line show the end
	NoTable   bool // ?notable
	Balancers []snapshot.Balancer
	Signature template.HTML
}

func (v *view) uptime() time.Duration { return v.Now.Sub(v.Started).Truncate(time.Second) }

func (v *view) seconds() float64 { return v.uptime().Seconds() }

// kilobytes is the traffic in httpd's unit: every rate is made from it.
func (v *view) kilobytes() int64 { return v.Sent >> 10 }

func (v *view) milliseconds() int64 { return v.Busy.Milliseconds() }

func (v *view) cpuLoad(digits int) string { return general(v.CPU.sum()/v.seconds()*100, digits) }

// ConfigGeneration is how many configurations were read (httpd: ParentServerConfigGeneration).
func (v *view) ConfigGeneration() int { return v.Reloads + 1 }
