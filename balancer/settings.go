package balancer

import "time"

// WorkerSettings is what the parameters of BalancerMember, ProxyPass and ProxySet say of a worker.
// A value; make one with NewWorkerSettings.
type WorkerSettings struct {
	LoadFactor int    // hundredths, 100 to 10000
	LBSet      int    // 0 to 99; a lower set is tried first
	Route      string // at most 63 bytes
	Redirect   string // the route that takes over, at most 63 bytes
	Status     Status // what status= set at start; the live status is the Worker's

	Retry          Opt[time.Duration] // how long an error lasts; default 60 s
	Min, Max, SMax int                // connections; Max 0 and SMax -1: not set, see Pool
	TTL            time.Duration      // of idle connections above SMax; 0: none
	Acquire        Opt[time.Duration] // wait for a pooled connection; not set: for ever
	Timeout        Opt[time.Duration] // of each read and write; not set: ProxyTimeout, Timeout
	ConnectTimeout Opt[time.Duration] // not set: Timeout
	Ping           Opt[time.Duration] // wait for 100 Continue or CPONG; not set: no ping
	KeepAlive      Opt[bool]          // SO_KEEPALIVE
	DisableReuse   Opt[bool]          // close after each response; enablereuse= is its opposite
	AddressTTL     Opt[int]           // seconds, -1 for ever

	IOBufferSize      Opt[int]      // bytes
	ReceiveBufferSize Opt[int]      // bytes of SO_RCVBUF, 0: the system's
	ResponseFieldSize Opt[int]      // bytes of one header line
	FlushPackets      Flush         // ajp, fcgi
	FlushWait         time.Duration // of FlushAuto
	Flusher           string        // fdpass's provider
	Upgrade           string        // tokens of Upgrade: that may pass; "*" any; "" the scheme's default
	Secret            string        // ajp, scgi; never stored
	ProxyProtocol     ProxyProtocol // what connections begin with. Ours

	Health Health
}

// Flush is flushpackets=.
type Flush uint8

// The values of flushpackets=.
const (
	FlushOff Flush = iota
	FlushOn
	FlushAuto
)

// String is the value as the manager's XML prints it.
func (f Flush) String() string { return [...]string{"Off", "On", "Auto"}[f] }

// ProxyProtocol is proxyprotocol=: the version of the PROXY header that says whose connection one to the member is.
type ProxyProtocol uint8

// The values of proxyprotocol=.
const (
	ProxyProtocolOff ProxyProtocol = iota
	ProxyProtocolV1
	ProxyProtocolV2
)

// String is the value as the configuration has it.
func (p ProxyProtocol) String() string { return [...]string{"off", "v1", "v2"}[p] }

// The defaults of worker parameters (httpd: mod_proxy.h, httpd.h).
const (
	DefaultRetry             = 60 * time.Second
	DefaultFlushWait         = 10 * time.Millisecond
	DefaultIOBufferSize      = 8192
	DefaultResponseFieldSize = 8192
	DefaultCheckInterval     = 30 * time.Second
)

// NewWorkerSettings is the settings of a worker for which no parameter was given
// (httpd: proxy_util.c ap_proxy_define_worker).
func NewWorkerSettings() WorkerSettings {
	return WorkerSettings{
		LoadFactor:        100,
		Retry:             Opt[time.Duration]{V: DefaultRetry},
		SMax:              -1,
		AddressTTL:        Opt[int]{V: -1},
		IOBufferSize:      Opt[int]{V: DefaultIOBufferSize},
		ResponseFieldSize: Opt[int]{V: DefaultResponseFieldSize},
		FlushWait:         DefaultFlushWait,
		Health:            NewHealth(CheckNone),
	}
}

// Factor is the load factor as the manager shows it, 1 to 100.
func (s *WorkerSettings) Factor() float64 { return float64(s.LoadFactor) / 100 }

// Pool is the connection limits in force where threads is the default of max: smax is never above
// max and min never above smax (httpd: proxy_util.c ap_proxy_initialize_worker).
func (s *WorkerSettings) Pool(threads int) (lo, soft, hi int) {
	hi = s.Max
	if hi == 0 {
		hi = threads
	}
	soft = s.SMax
	if soft == -1 || soft > hi {
		soft = hi
	}
	return min(s.Min, soft), soft, hi
}

// Health is the health check's part of a worker's settings, and what a ProxyHCTemplate holds.
type Health struct {
	Method        Check
	Interval      time.Duration // at least 100 ms
	Passes, Fails int           // results that change the state; 0 acts as 1
	URI           string        // appended to the worker's URL, at most 63 bytes
	Expr          string        // name of a ProxyHCExpr; "" asks for 200 to 399
	Header        string        // "Name: value", a field that the check sends; "" for none. Ours
	Statuses      string        // "200-299,404": what passes in place of 200 to 399; "": see Expr. Ours
	Text          string        // what the answer's body must hold; "": anything. Ours
}

// NewHealth is a health check with method m and all else at its default. A worker starts with
// CheckNone, a template with CheckTCP (httpd: mod_proxy_hcheck.c set_hc_template).
func NewHealth(m Check) Health {
	return Health{Method: m, Interval: DefaultCheckInterval, Passes: 1, Fails: 1}
}

// Check is hcmethod=.
type Check uint8

// The methods of health checks.
const (
	CheckNone Check = iota
	CheckTCP
	CheckOptions
	CheckHead
	CheckGet
	CheckCPing
	CheckProvider
	CheckOptions11
	CheckHead11
	CheckGet11
)

// checks is the table of health check methods, in the order of the manager's form
// (httpd: proxy_util.c proxy_hcmethods).
var checks = [...]string{"NONE", "TCP", "OPTIONS", "HEAD", "GET", "CPING", "PROVIDER", "OPTIONS11", "HEAD11", "GET11"}

// String is the name in configuration and manager: "NONE", "GET11".
func (c Check) String() string { return checks[c] }

// usesExpr reports whether an answer is there that an expression could look at.
func (c Check) usesExpr() bool { return c != CheckNone && c != CheckTCP && c != CheckCPing }

// BalancerSettings is what the parameters of ProxySet, <Proxy balancer://> and ProxyPass say of a
// balancer. A value; make one with NewBalancerSettings. FailOnStatus is never written to.
type BalancerSettings struct {
	Method        Opt[string] // the lbmethod's name
	Sticky        Sticky
	Separator     Opt[byte]     // between session id and route; 0: the whole id is the route
	ScolonDelim   Opt[bool]     // ';' ends the id in a URL
	NoFailover    Opt[bool]     // a session whose route is lost gets 503
	Timeout       time.Duration // wait for a usable member; 0: none
	MaxAttempts   Opt[int]      // further members to try; counts only when set
	ForceRecovery Opt[bool]     // retry all members at once when all are in error
	FailOnStatus  []int         // answers that put a member into error
	FailOnTimeout Opt[bool]     // so does the wait for one
	Nonce         Opt[string]   // of the manager's forms; set and empty: no edit is accepted
	Growth        Opt[int]      // how many members the manager may add
}

// Sticky names where a session id is: in the cookie Cookie or, first, in the URL as Path. The zero
// value: no sessions.
type Sticky struct{ Cookie, Path string }

// On reports whether sessions stick.
func (s Sticky) On() bool { return s.Cookie != "" }

// String is the setting as stickysession= takes it and the manager shows it: "A" or "A|B".
func (s Sticky) String() string {
	if s.Cookie == s.Path {
		return s.Cookie
	}
	return s.Cookie + "|" + s.Path
}

// NewBalancerSettings is the settings of a balancer for which no parameter was given
// (httpd: proxy_util.c ap_proxy_define_balancer).
func NewBalancerSettings() BalancerSettings {
	return BalancerSettings{
		Method:        Opt[string]{V: "byrequests"},
		Separator:     Opt[byte]{V: '.'},
		ForceRecovery: Opt[bool]{V: true},
	}
}

// Inherit is s, set in a virtual host that mentions the balancer, completed by what the main server
// set for the balancer of the same name. The method is not inherited then: it is byrequests unless
// the virtual host names one. A host that does not mention the balancer has the main server's
// settings as they are (httpd: mod_proxy.c merge_balancers).
func (s BalancerSettings) Inherit(main BalancerSettings) BalancerSettings {
	if !s.Sticky.On() {
		s.Sticky = main.Sticky
	}
	s.Separator = s.Separator.Over(main.Separator)
	s.ScolonDelim = s.ScolonDelim.Over(main.ScolonDelim)
	s.NoFailover = s.NoFailover.Over(main.NoFailover)
	if s.Timeout == 0 {
		s.Timeout = main.Timeout
	}
	s.MaxAttempts = s.MaxAttempts.Over(main.MaxAttempts)
	s.ForceRecovery = s.ForceRecovery.Over(main.ForceRecovery)
	s.FailOnStatus = append(append([]int(nil), s.FailOnStatus...), main.FailOnStatus...)
	s.FailOnTimeout = s.FailOnTimeout.Over(main.FailOnTimeout)
	s.Nonce = s.Nonce.Over(main.Nonce)
	s.Growth = s.Growth.Over(main.Growth)
	return s
}
