package balancer

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// WorkerParams is the table of worker parameters (httpd: mod_proxy.c set_worker_param; the form's
// rules: mod_proxy_balancer.c balancer_process_balancer_worker). Never written to.
var WorkerParams = append(append(append(Table[WorkerSettings]{
	loadFactor.editable("w_lf", "Load factor", formLoadFactor).shown(func(s *WorkerSettings) string { return fmt.Sprintf("%.2f", s.Factor()) }),
	intParam("lbset", func(s *WorkerSettings) *int { return &s.LBSet }, 0, 99, 0,
		"lbset must be between 0 and 99", "0 to 99; members of a higher set serve when none of the lower ones can").
		editable("w_ls", "LB Set", formInt(func(s *WorkerSettings) *int { return &s.LBSet }, 0, 99)),
	textParam("route", func(s *WorkerSettings) *string { return &s.Route }, 64,
		"Route length must be < %d characters", "name of this worker in a session id").
		editable("w_wr", "Route", formText(func(s *WorkerSettings) *string { return &s.Route }, 64)),
	textParam("redirect", func(s *WorkerSettings) *string { return &s.Redirect }, 64,
		"Redirect length must be < %d characters", "route that takes this worker's sessions while it is unusable").
		editable("w_rr", "Route Redirect", formText(func(s *WorkerSettings) *string { return &s.Redirect }, 64)),
}, statusParams()...), healthOfWorker()...), []Param[WorkerSettings]{
	{Name: "status", Set: setStatus, Help: "letters of D S I H R N C, with + and -: the state at start"},
	secondsParam("retry", func(s *WorkerSettings) *Opt[time.Duration] { return &s.Retry }, 0,
		"Retry must be a positive value", "seconds that a worker in error is left alone; 60"),
	intParam("min", func(s *WorkerSettings) *int { return &s.Min }, 0, math.MaxInt, 0,
		"Min must be a positive number", "connections kept open"),
	intParam("max", func(s *WorkerSettings) *int { return &s.Max }, 0, math.MaxInt, 0,
		"Max must be a positive number", "most connections at a time; 0 for no limit"),
	intParam("smax", func(s *WorkerSettings) *int { return &s.SMax }, 0, math.MaxInt, -1,
		"Smax must be a positive number", "idle connections above this number are closed after ttl"),
	ttl,
	timeParam("acquire", func(s *WorkerSettings) *Opt[time.Duration] { return &s.Acquire }, "ms",
		"Acquire timeout has wrong format", "Acquire must be at least one millisecond", "milliseconds to wait for a free connection"),
	secondsParam("timeout", func(s *WorkerSettings) *Opt[time.Duration] { return &s.Timeout }, 1,
		"Timeout must be at least one second", "seconds to wait for each read and write"),
	timeParam("connectiontimeout", func(s *WorkerSettings) *Opt[time.Duration] { return &s.ConnectTimeout }, "s",
		"Connectiontimeout has wrong format", "Connectiontimeout must be at least one millisecond.", "seconds to wait for a connection"),
	timeParam("ping", func(s *WorkerSettings) *Opt[time.Duration] { return &s.Ping }, "s",
		"Ping/Pong timeout has wrong format", "Ping/Pong timeout must be at least one millisecond", "seconds to wait for 100 Continue or CPONG before a body is sent"),
	flagParam("keepalive", func(s *WorkerSettings) *Opt[bool] { return &s.KeepAlive }, false,
		"KeepAlive must be On|Off", "TCP keep-alive on connections"),
	flagParam("disablereuse", func(s *WorkerSettings) *Opt[bool] { return &s.DisableReuse }, false,
		"DisableReuse must be On|Off", "a new connection for each request"),
	alias(flagParam("enablereuse", func(s *WorkerSettings) *Opt[bool] { return &s.DisableReuse }, true,
		"EnableReuse must be On|Off", "the opposite of disablereuse")),
	{Name: "addressttl", Set: setAddressTTL, Help: "seconds that an address is believed; -1 for ever",
		Get: func(s *WorkerSettings) (string, bool) { return strconv.Itoa(s.AddressTTL.V), s.AddressTTL.Set }},
	sizeParam("iobuffersize", func(s *WorkerSettings) *Opt[int] { return &s.IOBufferSize }, 512, DefaultIOBufferSize,
		"IOBufferSize must be >= 512 bytes, or 0 for system default.", "bytes of the copy buffer"),
	sizeParam("receivebuffersize", func(s *WorkerSettings) *Opt[int] { return &s.ReceiveBufferSize }, 512, 0,
		"ReceiveBufferSize must be >= 512 bytes, or 0 for system default.", "bytes of the socket's receive buffer"),
	sizeParam("responsefieldsize", func(s *WorkerSettings) *Opt[int] { return &s.ResponseFieldSize }, 0, DefaultResponseFieldSize,
		"ResponseFieldSize must be greater than 0 bytes, or 0 for system default.", "bytes of the longest header line"),
	{Name: "flushpackets", Set: setFlush, Help: "on, off or auto: flush after each packet of the answer",
		Get: func(s *WorkerSettings) (string, bool) { return s.FlushPackets.String(), s.FlushPackets != FlushOff }},
	{Name: "flushwait", Set: setFlushWait, Help: "milliseconds without data before flushpackets=auto flushes; 10",
		Get: func(s *WorkerSettings) (string, bool) { return millis(s.FlushWait), s.FlushWait != DefaultFlushWait }},
	textParam("flusher", func(s *WorkerSettings) *string { return &s.Flusher }, 16,
		"flusher name length must be < %d characters", "provider that flushes for fdpass"),
	upgrade,
	alias(textParam("secret", func(s *WorkerSettings) *string { return &s.Secret }, 64,
		"Secret length must be < %d characters", "password of an ajp or scgi backend")),
	Param[WorkerSettings]{Name: "proxyprotocol", Set: setProxyProtocol, Help: "v1 or v2: connections begin with a PROXY header that names the client; off",
		Get: func(s *WorkerSettings) (string, bool) {
			return s.ProxyProtocol.String(), s.ProxyProtocol != ProxyProtocolOff
		}}.ours(),
}...)

// alias is a parameter that is set but not shown or kept: another one is, or it is a secret.
func alias(p Param[WorkerSettings]) Param[WorkerSettings] {
	p.Get = nil
	return p
}

var errLoadFactor = errors.New("LoadFactor must be a number between 1..100")

var loadFactor = Param[WorkerSettings]{
	Name: "loadfactor",
	Help: "1 to 100, may be a fraction: the share of the work",
	Set: func(s *WorkerSettings, value string, _ Env) error {
		n, ok := hundredths(value)
		if !ok {
			return errLoadFactor
		}
		s.LoadFactor = n
		return nil
	},
	Get: func(s *WorkerSettings) (string, bool) { return fromHundredths(s.LoadFactor), true },
}

func formLoadFactor(s *WorkerSettings, value string, e Env) bool {
	return loadFactor.Set(s, value, e) == nil
}

func setStatus(s *WorkerSettings, value string, _ Env) (err error) {
	s.Status, err = ParseStatus(value, s.Status)
	return err
}

// statusParams is one radio button for each condition that the manager can change.
func statusParams() (t Table[WorkerSettings]) {
	for _, letter := range "INDHRCS" {
		bit := bitOf(byte(letter))
		t = append(t, Param[WorkerSettings]{
			Form:  "w_status_" + string(letter),
			Label: labelOf(bit),
			Help:  "1 or 0",
			FormSet: func(s *WorkerSettings, value string, _ Env) bool {
				s.Status = s.Status.with(bit, atoi(value) != 0)
				return true
			},
			Show: func(s *WorkerSettings) string { return map[bool]string{true: "1", false: "0"}[s.Status&bit != 0] },
		})
	}
	return t
}

func labelOf(bit Status) string {
	for _, f := range statuses {
		if f.Bit == bit {
			return f.Label
		}
	}
	return ""
}

var errTTL = errors.New("TTL must be at least one second")

var ttl = Param[WorkerSettings]{
	Name: "ttl",
	Help: "seconds an idle connection above smax is kept",
	Set: func(s *WorkerSettings, value string, _ Env) error {
		n := atoi(value)
		if n < 1 {
			return errTTL
		}
		s.TTL = time.Duration(n) * time.Second
		return nil
	},
	Get: func(s *WorkerSettings) (string, bool) { return seconds(s.TTL), s.TTL != 0 },
}

var errAddressTTL = errors.New("AddressTTL must be -1 or a number of seconds not exceeding (2147483647)")

func setAddressTTL(s *WorkerSettings, value string, _ Env) error {
	if value == "-1" {
		s.AddressTTL = Some(-1)
		return nil
	}
	d, ok := parseTime(value, "s")
	if !ok || d > math.MaxInt32*time.Second || d%time.Second != 0 {
		return errAddressTTL
	}
	s.AddressTTL = Some(int(d / time.Second))
	return nil
}

var errFlush = errors.New("flushpackets must be on|off|auto")

func setFlush(s *WorkerSettings, value string, _ Env) error {
	for _, f := range []Flush{FlushOff, FlushOn, FlushAuto} {
		if strings.EqualFold(value, f.String()) {
			s.FlushPackets = f
			return nil
		}
	}
	return errFlush
}

var errProxyProtocol = errors.New("proxyprotocol must be v1|v2|off")

func setProxyProtocol(s *WorkerSettings, value string, _ Env) error {
	for _, p := range []ProxyProtocol{ProxyProtocolOff, ProxyProtocolV1, ProxyProtocolV2} {
		if strings.EqualFold(value, p.String()) {
			s.ProxyProtocol = p
			return nil
		}
	}
	return errProxyProtocol
}

var errFlushWait = errors.New("flushwait must be <= 1000, or 0 for system default of 10 millseconds.")

func setFlushWait(s *WorkerSettings, value string, _ Env) error {
	n := atoi(value)
	if n < 0 || n > 1000 {
		return errFlushWait
	}
	s.FlushWait = DefaultFlushWait
	if n > 0 {
		s.FlushWait = time.Duration(n) * time.Millisecond
	}
	return nil
}

var errUpgrade = errors.New("upgrade protocol length must be < 16 characters")

var upgrade = Param[WorkerSettings]{
	Name: "upgrade",
	Help: "protocols that Upgrade: may name, ANY for all",
	Set: func(s *WorkerSettings, value string, _ Env) error {
		if strings.EqualFold(value, "ANY") {
			value = "*"
		}
		if len(value) >= 16 {
			return errUpgrade
		}
		s.Upgrade = value
		return nil
	},
	Get: func(s *WorkerSettings) (string, bool) { return s.Upgrade, s.Upgrade != "" },
}
