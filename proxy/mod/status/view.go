package status

import (
	"html/template"
	"strings"
	"time"
)

// view is everything that one answer shows. The methods are the figures that both ways of printing
// share; the page's template calls them by name.
type view struct {
	Snapshot
	Server    string // the name of this request's server
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
	Balancers []Balancer
	Signature template.HTML
}

func (v *view) uptime() time.Duration { return v.Now.Sub(v.Started).Truncate(time.Second) }

func (v *view) seconds() float64 { return v.uptime().Seconds() }

// kilobytes is the traffic in httpd's unit: every rate is made from it.
func (v *view) kilobytes() int64 { return v.Bytes >> 10 }

func (v *view) milliseconds() int64 { return v.Duration.Milliseconds() }

func (v *view) cpuLoad(digits int) string { return general(v.CPU.sum()/v.seconds()*100, digits) }

// sum adds up one figure of all loads.
func (v *view) sum(of func(*Load) int) (n int) {
	for i := range v.Loads {
		n += of(&v.Loads[i])
	}
	return n
}

// Total is the line of sums below the loads.
func (v *view) Total() Load {
	return Load{
		Connections: v.sum(func(l *Load) int { return l.Connections }),
		WaitIO:      v.sum(func(l *Load) int { return l.WaitIO }),
		Writing:     v.sum(func(l *Load) int { return l.Writing }),
		KeepAlive:   v.sum(func(l *Load) int { return l.KeepAlive }),
		Closing:     v.sum(func(l *Load) int { return l.Closing }),
		Busy:        v.BusyWorkers(), Graceful: v.States[Graceful], Idle: v.States[Idle],
	}
}

// StoppingLoads is how many loads take no new connections.
func (v *view) StoppingLoads() int {
	return v.sum(func(l *Load) int {
		if l.Stopping {
			return 1
		}
		return 0
	})
}

// BusyWorkers counts the workers that serve somebody.
func (v *view) BusyWorkers() (n int) {
	for s, count := range v.States {
		if State(s).Busy() && State(s) != Starting {
			n += count
		}
	}
	return n
}

// scoreboard is one letter a worker.
func (v *view) scoreboard() string {
	var b strings.Builder
	for s, count := range v.States {
		b.WriteString(strings.Repeat(State(s).Letter(), count))
	}
	return b.String()
}
