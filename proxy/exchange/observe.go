package exchange

import "time"

// Observer is told what happens to one exchange, in the order in which it happens: traces, metrics and
// the causes of answers are made of it. Exchange.Observer is nil when nobody wants to know; who has
// something to tell asks for that first, so that it costs no more than the question:
//
//	if o := x.Observer; o != nil {
//		o.Observe(x, exchange.PhaseBegun{Phase: "fixups"})
//	}
//
// Observe is called by the goroutine that owns the exchange. It must not block, and must copy the texts
// that it keeps beyond the exchange. A lookup (Exchange.Depth > 0) tells its maker's observer. What took
// time carries its duration where the teller alone knows when it began; the time of every other event
// is that of the call.
type Observer interface {
	Observe(*Exchange, Event)
}

// Observers are several ones, told in this order.
type Observers []Observer

// Observe tells all of them.
func (l Observers) Observe(x *Exchange, e Event) {
	for _, o := range l {
		o.Observe(x, e)
	}
}

// Event is one of the types below.
type Event interface{ event() }

// HostChosen: x.Server serves the request. Site tells it once a request, first of all.
type HostChosen struct {
	Named bool // its name or alias fits the Host field; else it is the address's default
}

// PhaseBegun: the steps of a phase are about to run. Site tells it of phases that have steps, and of the
// handler. Phases come again with an internal redirect, and for lookups.
type PhaseBegun struct {
	Phase string // httpd's name of the hook: "translate_name", "access_checker"; "handler"
}

// PhaseOver: the phase is over. Err is what ended it: nil and Stop are good.
type PhaseOver struct {
	Phase string
	Err   error
}

// StepDecided: a step ended its phase, or failed. Steps that let the exchange go on are not told.
type StepDecided struct {
	Phase  string
	Module string // "authz_core"
	Name   string // the directive that asks for the step: "Require"
	Err    error  // Stop: it settled the phase; a Status or *Problem is the answer to come; *Redirect starts over
}

// Handled: the handler made the answer, or failed with Err.
type Handled struct {
	Module string
	Name   string // "proxy-server", "default-handler"
	Err    error
}

// SectionsMerged: these sections hold from here on, outermost first. Site tells it when the final plan
// is known; again after an internal redirect.
type SectionsMerged struct{ Sections []Section }

// Section is a section of the configuration that holds for a request.
type Section struct {
	Kind     string // "Location", "LocationMatch", "Directory", "If"
	Argument string
	File     string
	Line     int
}

// Decision is anything else that a module decided by a line of the configuration: a condition, a Require,
// a ProxyPass that was passed over or taken, a filter put in, a field set.
type Decision struct {
	Module  string
	Name    string // the directive: "If", "Require", "ProxyPass"
	Subject string // what was looked at: its argument
	Outcome string // what it came to: "true", "granted", "balancer://b/x"
	File    string // "" where no single line decided
	Line    int
}

// Picked: a balancer chose a member, or found none. Told once an attempt.
type Picked struct {
	Balancer   string // without scheme
	Method     string // "byrequests"
	Session    Session
	Candidates []Candidate // all members, in the order of the configuration
	Member     string      // URL of the one that was chosen; "" for none
	Why        string      // "session", "method", "redirect" (the session's member names another)
	Err        error       // why there is none
}

// Session is the sticky session that a pick went by.
type Session struct {
	Name  string // of the cookie or path parameter; "" for a request without a session
	Path  bool   // it came in the path
	Route string
}

// Candidate is a member as a pick saw it.
type Candidate struct {
	Member string // URL
	Set    int
	Status string // "Ok", "Err", as the manager shows it
	Factor float64
	Load   int64 // the lbmethod's own account
	Busy   int64
	WhyNot string // "" for one that could have been chosen; "error", "disabled", "other set", "route"
}

// Attempted: an attempt to have a member answer is over: it failed, or the answer's body was read to its
// end or given up. Told once an attempt, in order.
type Attempted struct {
	Member  string        // URL
	Address string        // "ip:port" or a socket's path; "" when there was none to connect to
	Reused  bool          // the connection came from the pool
	Connect time.Duration // to have a new connection, TLS included; -1 when none was made
	Header  time.Duration // from the attempt's begin to the answer's head; -1 without one
	Total   time.Duration
	Sent    int64  // bytes to the member, head included
	Got     int64  // bytes of the member
	Status  int    // of the answer; 0 without one
	Ended   string // why the connection carries no other request, e.g. "member closes"; "" when it is kept
	Failure string // what went wrong, as package backend names it: "Refused", "ReadTimeout"; "" for nothing
	Err     error
}

// Failed: an error is going to be the answer. Step or handler that returned it were told before; an error
// without them comes from the reading of the request. Several may follow another: an ErrorDocument fails
// in its turn.
type Failed struct {
	Status int
	Err    error
}

// Answered: the answer was sent, as x.Res says, or the client is gone (x.Res.Aborted). The last event;
// logs are written after it.
type Answered struct{}

func (HostChosen) event()     {}
func (PhaseBegun) event()     {}
func (PhaseOver) event()      {}
func (StepDecided) event()    {}
func (Handled) event()        {}
func (SectionsMerged) event() {}
func (Decision) event()       {}
func (Picked) event()         {}
func (Attempted) event()      {}
func (Failed) event()         {}
func (Answered) event()       {}
