package balancer

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

var testEnv = Env{
	Methods:   []string{"heartbeat", "byrequests", "bybusyness", "bytraffic"},
	HCheck:    true,
	Templates: []Template{{"Tcp5", Health{Method: CheckTCP, Interval: 5 * time.Second, Passes: 2, Fails: 3}}},
	Exprs:     []Expr{{"ok", "%{REQUEST_STATUS} =~ /^2/"}, {"other", "true"}},
}

func x(n int) string { return strings.Repeat("x", n) }

// refuse sets "key=value" and compares the complaint; want "" means none.
func refuse(t *testing.T, set func(key, value string, e Env) error, e Env, param, want string) {
	t.Helper()
	key, value, _ := strings.Cut(param, "=")
	got := ""
	if err := set(key, value, e); err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("%.40s: %q, want %q", param, got, want)
	}
}

// TestWorkerComplaints is httpd's words for each parameter that it refuses.
func TestWorkerComplaints(t *testing.T) {
	for param, want := range map[string]string{
		"min=-1": "Min must be a positive number", "max=-1": "Max must be a positive number", "smax=-1": "Smax must be a positive number",
		"ttl=0": "TTL must be at least one second", "acquire=0": "Acquire must be at least one millisecond",
		"acquire=x": "Acquire timeout has wrong format", "acquire=1d": "Acquire timeout has wrong format",
		"connectiontimeout=0":  "Connectiontimeout must be at least one millisecond.",
		"connectiontimeout=1m": "Connectiontimeout has wrong format", "connectiontimeout=5x": "Connectiontimeout has wrong format",
		"timeout=0": "Timeout must be at least one second", "timeout=0.5": "Timeout must be at least one second", "TimeOut=x": "Timeout must be at least one second",
		"ping=0": "Ping/Pong timeout must be at least one millisecond", "ping=x": "Ping/Pong timeout has wrong format",
		"keepalive=maybe": "KeepAlive must be On|Off", "disablereuse=1": "DisableReuse must be On|Off", "enablereuse=1": "EnableReuse must be On|Off",
		"addressttl=-2":         "AddressTTL must be -1 or a number of seconds not exceeding (2147483647)",
		"addressttl=500ms":      "AddressTTL must be -1 or a number of seconds not exceeding (2147483647)",
		"addressttl=2147483648": "AddressTTL must be -1 or a number of seconds not exceeding (2147483647)",
		"retry=-1":              "Retry must be a positive value",
		"loadfactor=0.99":       "LoadFactor must be a number between 1..100", "loadfactor=100.01": "LoadFactor must be a number between 1..100",
		"lbset=-1": "lbset must be between 0 and 99", "lbset=100": "lbset must be between 0 and 99",
		"status=X": "Unknown status parameter option", "status=+": "Unknown status parameter option", "status=D+": "Unknown status parameter option",
		"flushpackets=1":  "flushpackets must be on|off|auto",
		"proxyprotocol=3": "proxyprotocol must be v1|v2|off", "proxyprotocol=": "proxyprotocol must be v1|v2|off", "proxyprotocol=on": "proxyprotocol must be v1|v2|off",
		"flushwait=1001": "flushwait must be <= 1000, or 0 for system default of 10 millseconds.", "flushwait=-1": "flushwait must be <= 1000, or 0 for system default of 10 millseconds.",
		"iobuffersize=511":      "IOBufferSize must be >= 512 bytes, or 0 for system default.",
		"receivebuffersize=511": "ReceiveBufferSize must be >= 512 bytes, or 0 for system default.",
		"responsefieldsize=-1":  "ResponseFieldSize must be greater than 0 bytes, or 0 for system default.",
		"hcmethod=PUT":          "Unknown method", "hcmethod=CPING": "Health check method CPING not (yet) implemented", "hcmethod=provider": "Health check method provider not (yet) implemented",
		"hcinterval=99ms": "Interval must be a positive value greater than 100ms", "hcinterval=x": "Unparse-able hcinterval setting",
		"hcpasses=-1": "Passes must be a positive value", "hcfails=-1": "Fails must be a positive value",
		"hcexpr=nope": "Unknown health check condition expr: nope", "hctemplate=nope": "Unknown ProxyHCTemplate name: nope",
		"nosuch=1": "unknown Worker hcheck parameter", "growth=1": "unknown Worker hcheck parameter", "lbmethod=byrequests": "unknown Worker hcheck parameter", "=1": "unknown Worker hcheck parameter",
		"w_lf=1":            "unknown Worker hcheck parameter",
		"route=" + x(64):    "Route length must be < 64 characters",
		"redirect=" + x(64): "Redirect length must be < 64 characters",
		"flusher=" + x(16):  "flusher name length must be < 16 characters",
		"secret=" + x(64):   "Secret length must be < 64 characters",
		"upgrade=" + x(16):  "upgrade protocol length must be < 16 characters",
		"hcuri=" + x(64):    "Health check uri length must be < 64 characters",
	} {
		s := NewWorkerSettings()
		refuse(t, s.Set, testEnv, param, want)
	}
	bare := testEnv
	bare.HCheck = false
	for _, param := range []string{"nosuch=1", "hcmethod=GET", "hctemplate=tcp5", "hcuri=/x"} {
		s := NewWorkerSettings()
		refuse(t, s.Set, bare, param, "unknown Worker parameter")
	}
}

// TestWorkerValues is what parameters do that httpd lets through.
func TestWorkerValues(t *testing.T) {
	for param, want := range map[string]func(*WorkerSettings){
		"min=0":                   func(s *WorkerSettings) {},
		"max=abc":                 func(s *WorkerSettings) {},
		"max=7":                   func(s *WorkerSettings) { s.Max = 7 },
		"smax=3":                  func(s *WorkerSettings) { s.SMax = 3 },
		"ttl=5s":                  func(s *WorkerSettings) { s.TTL = 5 * time.Second },
		"acquire=250":             func(s *WorkerSettings) { s.Acquire = Some(250 * time.Millisecond) },
		"acquire=1s":              func(s *WorkerSettings) { s.Acquire = Some(time.Second) },
		"acquire=1mi":             func(s *WorkerSettings) { s.Acquire = Some(time.Minute) },
		"connectiontimeout=500ms": func(s *WorkerSettings) { s.ConnectTimeout = Some(500 * time.Millisecond) },
		"connectiontimeout=2h":    func(s *WorkerSettings) { s.ConnectTimeout = Some(2 * time.Hour) },
		"timeout=5ms":             func(s *WorkerSettings) { s.Timeout = Some(5 * time.Second) },
		"TIMEOUT=5":               func(s *WorkerSettings) { s.Timeout = Some(5 * time.Second) },
		"ping=500ms":              func(s *WorkerSettings) { s.Ping = Some(500 * time.Millisecond) },
		"keepalive=oN":            func(s *WorkerSettings) { s.KeepAlive = Some(true) },
		"disablereuse=off":        func(s *WorkerSettings) { s.DisableReuse = Some(false) },
		"enablereuse=off":         func(s *WorkerSettings) { s.DisableReuse = Some(true) },
		"addressttl=-1":           func(s *WorkerSettings) { s.AddressTTL = Some(-1) },
		"addressttl=60":           func(s *WorkerSettings) { s.AddressTTL = Some(60) },
		"addressttl=1mi":          func(s *WorkerSettings) { s.AddressTTL = Some(60) },
		"retry=0":                 func(s *WorkerSettings) { s.Retry = Some(time.Duration(0)) },
		"retry=abc":               func(s *WorkerSettings) { s.Retry = Some(time.Duration(0)) },
		"loadfactor=2.555":        func(s *WorkerSettings) { s.LoadFactor = 255 },
		"loadfactor=5x":           func(s *WorkerSettings) { s.LoadFactor = 500 },
		"lbset=99":                func(s *WorkerSettings) { s.LBSet = 99 },
		"route=r.1":               func(s *WorkerSettings) { s.Route = "r.1" },
		"redirect=" + x(63):       func(s *WorkerSettings) { s.Redirect = x(63) },
		"status=":                 func(s *WorkerSettings) {},
		"status=+H-D":             func(s *WorkerSettings) { s.Status = Standby },
		"flushpackets=auto":       func(s *WorkerSettings) { s.FlushPackets = FlushAuto },
		"flushwait=0":             func(s *WorkerSettings) {},
		"flushwait=20":            func(s *WorkerSettings) { s.FlushWait = 20 * time.Millisecond },
		"flusher=" + x(15):        func(s *WorkerSettings) { s.Flusher = x(15) },
		"iobuffersize=0":          func(s *WorkerSettings) { s.IOBufferSize = Some(8192) },
		"receivebuffersize=0":     func(s *WorkerSettings) { s.ReceiveBufferSize = Some(0) },
		"receivebuffersize=512":   func(s *WorkerSettings) { s.ReceiveBufferSize = Some(512) },
		"responsefieldsize=0":     func(s *WorkerSettings) { s.ResponseFieldSize = Some(8192) },
		"responsefieldsize=10":    func(s *WorkerSettings) { s.ResponseFieldSize = Some(10) },
		"upgrade=any":             func(s *WorkerSettings) { s.Upgrade = "*" },
		"proxyprotocol=v1":        func(s *WorkerSettings) { s.ProxyProtocol = ProxyProtocolV1 },
		"ProxyProtocol=V2":        func(s *WorkerSettings) { s.ProxyProtocol = ProxyProtocolV2 },
		"proxyprotocol=Off":       func(s *WorkerSettings) {},
		"upgrade=websocket":       func(s *WorkerSettings) { s.Upgrade = "websocket" },
		"secret=s3":               func(s *WorkerSettings) { s.Secret = "s3" },
		"hcmethod=get11":          func(s *WorkerSettings) { s.Health.Method = CheckGet11 },
		"hcinterval=100ms":        func(s *WorkerSettings) { s.Health.Interval = 100 * time.Millisecond },
		"hcpasses=0":              func(s *WorkerSettings) { s.Health.Passes = 0 },
		"hcfails=3":               func(s *WorkerSettings) { s.Health.Fails = 3 },
		"hcuri=health?x=1":        func(s *WorkerSettings) { s.Health.URI = "health?x=1" },
		"hcexpr=OK":               func(s *WorkerSettings) { s.Health.Expr = "OK" },
		"hctemplate=TCP5":         func(s *WorkerSettings) { s.Health = testEnv.Templates[0].Health },
	} {
		s, w := NewWorkerSettings(), NewWorkerSettings()
		refuse(t, s.Set, testEnv, param, "")
		want(&w)
		if !reflect.DeepEqual(s, w) {
			t.Errorf("%s:\n got %+v\nwant %+v", param, s, w)
		}
	}
}

// TestTemplateOrder: what stands behind a template overrides it, what stands before is overwritten.
func TestTemplateOrder(t *testing.T) {
	s := NewWorkerSettings()
	for _, p := range []string{"hcfails=9", "hctemplate=tcp5", "hcpasses=4"} {
		refuse(t, s.Set, testEnv, p, "")
	}
	if want := (Health{Method: CheckTCP, Interval: 5 * time.Second, Passes: 4, Fails: 3}); s.Health != want {
		t.Errorf("%+v, want %+v", s.Health, want)
	}
}

func TestBalancerComplaints(t *testing.T) {
	for param, want := range map[string]string{
		"lbmethod=nope": "unknown lbmethod", "lbmethod=ByRequests": "unknown lbmethod",
		"stickysessionsep=ab": "stickysessionsep must be a single character or Off", "stickysessionsep=": "stickysessionsep must be a single character or Off",
		"scolonpathdelim=1": "scolonpathdelim must be On|Off", "nofailover=1": "failover must be On|Off",
		"timeout=0": "timeout must be at least one second", "maxattempts=-1": "maximum number of attempts must be a positive number",
		"failonstatus=99": "failonstatus must be one or more HTTP response codes", "failonstatus=600": "failonstatus must be one or more HTTP response codes",
		"failonstatus=500,x": "failonstatus must be one or more HTTP response codes",
		"failontimeout=1":    "failontimeout must be On|Off", "forcerecovery=1": "forcerecovery must be On|Off",
		"growth=0": "growth must be between 1 and 100", "growth=101": "growth must be between 1 and 100",
		"failover=On": "unknown Balancer parameter", "retry=5": "unknown Balancer parameter", "=": "unknown Balancer parameter", "b_tmo=5": "unknown Balancer parameter",
		"nonce=" + x(37): "Provided nonce is too large",
	} {
		s := NewBalancerSettings()
		refuse(t, s.Set, testEnv, param, want)
	}
}

func TestBalancerValues(t *testing.T) {
	for param, want := range map[string]func(*BalancerSettings){
		"lbmethod=heartbeat":      func(s *BalancerSettings) { s.Method = Some("heartbeat") },
		"stickysession=A|b":       func(s *BalancerSettings) { s.Sticky = Sticky{"A", "b"} },
		"stickysession=A":         func(s *BalancerSettings) { s.Sticky = Sticky{"A", "A"} },
		"stickysession=" + x(80):  func(s *BalancerSettings) { s.Sticky = Sticky{x(63), x(63)} },
		"stickysessionsep=off":    func(s *BalancerSettings) { s.Separator = Some[byte](0) },
		"stickysessionsep=:":      func(s *BalancerSettings) { s.Separator = Some[byte](':') },
		"scolonpathdelim=On":      func(s *BalancerSettings) { s.ScolonDelim = Some(true) },
		"nofailover=oN":           func(s *BalancerSettings) { s.NoFailover = Some(true) },
		"timeout=5x":              func(s *BalancerSettings) { s.Timeout = 5 * time.Second },
		"TimeOut=9":               func(s *BalancerSettings) { s.Timeout = 9 * time.Second },
		"maxattempts=0":           func(s *BalancerSettings) { s.MaxAttempts = Some(0) },
		"failonstatus=":           func(s *BalancerSettings) {},
		"failonstatus=500 503":    func(s *BalancerSettings) { s.FailOnStatus = []int{500, 503} },
		"failonstatus=500,503,,9": nil,
		"failonstatus=404x, 500":  func(s *BalancerSettings) { s.FailOnStatus = []int{404, 500} },
		"failontimeout=on":        func(s *BalancerSettings) { s.FailOnTimeout = Some(true) },
		"growth=100":              func(s *BalancerSettings) { s.Growth = Some(100) },
		"nonce=nOnE":              func(s *BalancerSettings) { s.Nonce = Some("") },
		"NONCE=abc":               func(s *BalancerSettings) { s.Nonce = Some("abc") },
		"forcerecovery=off":       func(s *BalancerSettings) { s.ForceRecovery = Some(false) },
	} {
		s, w := NewBalancerSettings(), NewBalancerSettings()
		if want == nil {
			refuse(t, s.Set, testEnv, param, "failonstatus must be one or more HTTP response codes")
			continue
		}
		refuse(t, s.Set, testEnv, param, "")
		want(&w)
		if !reflect.DeepEqual(s, w) {
			t.Errorf("%s:\n got %+v\nwant %+v", param, s, w)
		}
	}
}

func TestFailOnStatusReplaces(t *testing.T) {
	s := NewBalancerSettings()
	s.Set("failonstatus", "500,503", testEnv)
	old := s
	s.Set("failonstatus", "404", testEnv)
	if !reflect.DeepEqual(s.FailOnStatus, []int{404}) || !reflect.DeepEqual(old.FailOnStatus, []int{500, 503}) {
		t.Error(s.FailOnStatus, old.FailOnStatus)
	}
}

func TestInherit(t *testing.T) {
	main, host := NewBalancerSettings(), NewBalancerSettings()
	for _, p := range []string{"lbmethod=bytraffic", "timeout=7", "nofailover=On", "stickysession=A|a", "growth=3", "maxattempts=5", "failonstatus=500", "nonce=main",
		"stickysessionsep=:", "scolonpathdelim=On", "forcerecovery=Off", "failontimeout=On"} {
		refuse(t, main.Set, testEnv, p, "")
	}
	got := host.Inherit(main)
	want := main
	want.Method = host.Method // httpd's copy begins with byrequests
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	for _, p := range []string{"lbmethod=bybusyness", "timeout=1", "nofailover=Off", "stickysession=B", "growth=1", "maxattempts=0", "failonstatus=404", "nonce=None",
		"stickysessionsep=Off", "scolonpathdelim=Off", "forcerecovery=On", "failontimeout=Off"} {
		refuse(t, host.Set, testEnv, p, "")
	}
	got, want = host.Inherit(main), host
	want.FailOnStatus = []int{404, 500}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

// TestReadBack: what Get writes Set reads, for every parameter; records rest on it.
func TestReadBack(t *testing.T) {
	e := testEnv
	e.CPing = true
	s := NewWorkerSettings()
	for _, p := range []string{"loadfactor=1.145", "lbset=3", "route=a b", "redirect=é", "retry=0", "min=1", "max=9", "smax=4", "ttl=8", "acquire=1500ms", "timeout=3",
		"connectiontimeout=1ms", "ping=2", "keepalive=Off", "disablereuse=On", "addressttl=5", "iobuffersize=600", "receivebuffersize=700", "responsefieldsize=1", "flushpackets=auto", "proxyprotocol=v2",
		"flushwait=1", "flusher=f", "upgrade=ANY", "hcmethod=cping", "hcinterval=1234ms", "hcpasses=0", "hcfails=7", "hcuri=/x", "hcexpr=ok"} {
		refuse(t, s.Set, e, p, "")
	}
	back := NewWorkerSettings()
	if errs := setParamValues(WorkerParams, &back, WorkerParams.Values(&s), e); errs != nil || !reflect.DeepEqual(s, back) {
		t.Errorf("%v\n got %+v\nwant %+v", errs, back, s)
	}
	fresh := NewWorkerSettings()
	if m := WorkerParams.Values(&fresh); !reflect.DeepEqual(m, map[string]string{"loadfactor": "1.00"}) {
		t.Errorf("defaults are written: %v", m)
	}
	b := NewBalancerSettings()
	for _, p := range []string{"lbmethod=bytraffic", "timeout=7", "nofailover=On", "stickysession=A|a", "maxattempts=5", "nonce=None", "stickysessionsep=Off", "scolonpathdelim=On", "forcerecovery=Off"} {
		refuse(t, b.Set, e, p, "")
	}
	var backB BalancerSettings = NewBalancerSettings()
	if errs := setParamValues(BalancerParams, &backB, BalancerParams.Values(&b), e); errs != nil || !reflect.DeepEqual(b, backB) {
		t.Errorf("%v\n got %+v\nwant %+v", errs, backB, b)
	}
}

// TestTables: every line has what its readers need, and no name stands twice.
func TestTables(t *testing.T) {
	checkTable(t, WorkerParams)
	checkTable(t, BalancerParams)
	checkTable(t, HealthParams)
}

func checkTable[S any](t *testing.T, table Table[S]) {
	names := map[string]bool{"": true}
	for _, p := range table {
		if p.Help == "" || p.Name == "" && p.Form == "" || (p.Form == "") != (p.FormSet == nil) || (p.Form == "") != (p.Label == "") {
			t.Errorf("%s %s is incomplete", p.Name, p.Form)
		}
		if p.Form != "" && p.Get == nil && p.Show == nil {
			t.Errorf("%s has no text to show", p.Form)
		}
		for _, n := range []string{p.Name, p.Form} {
			if n != "" && names[n] {
				t.Errorf("%s stands twice", n)
			}
			names[n] = true
		}
	}
}

// TestFormOrder is the order of the manager's forms.
func TestFormOrder(t *testing.T) {
	order := func(forms []string) string { return strings.Join(forms, " ") }
	var w, b []string
	for _, p := range WorkerParams {
		if p.Form != "" {
			w = append(w, p.Form)
		}
	}
	for _, p := range BalancerParams {
		if p.Form != "" {
			b = append(b, p.Form)
		}
	}
	if got, want := order(w), "w_lf w_ls w_wr w_rr w_status_I w_status_N w_status_D w_status_H w_status_R w_status_C w_status_S w_hm w_he w_hi w_hp w_hf w_hu"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := order(b), "b_lbm b_tmo b_max b_sforce b_ss"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestFormShows(t *testing.T) {
	s := NewWorkerSettings()
	s.LoadFactor, s.LBSet, s.Route, s.Status, s.Health.Interval = 255, 4, "r", Standby, 2500*time.Millisecond
	for form, want := range map[string]string{"w_lf": "2.55", "w_ls": "4", "w_wr": "r", "w_rr": "", "w_status_H": "1", "w_status_D": "0", "w_hm": "NONE", "w_hi": "2500", "w_hp": "1", "w_hu": ""} {
		if got := WorkerParams.Field(form).Value(&s); got != want {
			t.Errorf("%s: %q, want %q", form, got, want)
		}
	}
	b := NewBalancerSettings()
	b.Timeout, b.Sticky, b.NoFailover = 9*time.Second, Sticky{"A", "b"}, Some(true)
	for form, want := range map[string]string{"b_lbm": "byrequests", "b_tmo": "9", "b_max": "0", "b_sforce": "1", "b_ss": "A|b"} {
		if got := BalancerParams.Field(form).Value(&b); got != want {
			t.Errorf("%s: %q, want %q", form, got, want)
		}
	}
}

func TestChecks(t *testing.T) {
	var names []string
	for _, c := range (Env{CPing: true}).Checks() {
		names = append(names, c.String())
	}
	if got := strings.Join(names, " "); got != "NONE TCP OPTIONS HEAD GET CPING OPTIONS11 HEAD11 GET11" {
		t.Error(got)
	}
	if n := len((Env{}).Checks()); n != 8 {
		t.Error("without ajp:", n)
	}
}

func TestPool(t *testing.T) {
	for _, c := range []struct{ min, smax, max, lo, soft, hi int }{
		{0, -1, 0, 0, 16, 16}, {5, -1, 3, 3, 3, 3}, {2, 9, 4, 2, 4, 4}, {0, 2, 0, 0, 2, 16}, {4, 0, 8, 0, 0, 8},
	} {
		s := NewWorkerSettings()
		s.Min, s.SMax, s.Max = c.min, c.smax, c.max
		if lo, soft, hi := s.Pool(16); lo != c.lo || soft != c.soft || hi != c.hi {
			t.Errorf("%+v: %d %d %d", c, lo, soft, hi)
		}
	}
}

// What httpd has not: bad values are refused before they are part of a request.
func TestOwnHealthParameters(t *testing.T) {
	s := NewWorkerSettings()
	for param, want := range map[string]string{
		"hcheader=Host: app.test": "", "hcheader=": "", "hcheader=X-A:": "", "hcheader=Host": errHeader.Error(), "hcheader=: x": errHeader.Error(), "hcheader=A B: x": errHeader.Error(),
		"hcheader=Host: a\r\nX: b": errHeader.Error(), "hcheader=X:" + x(300): "Health check header length must be < 256 characters",
		"hcstatus=200": "", "hcstatus=200-299,404": "", "hcstatus=": "", "hcstatus=99": errStatuses.Error(), "hcstatus=600": errStatuses.Error(), "hcstatus=299-200": errStatuses.Error(),
		"hcstatus=200,": errStatuses.Error(), "hcstatus=2xx": errStatuses.Error(), "hctext=a b": "", "hctext=" + x(256): "Health check text length must be < 256 characters",
		"hcuri=/a b": errURI.Error(), "hcuri=/a\r\nX: y": errURI.Error(), "hcuri=/a%20b": "",
	} {
		refuse(t, s.Set, testEnv, param, want)
		refuse(t, s.Set, Env{}, param, "unknown Worker parameter")
	}
	h := Health{Statuses: "200-299,404"}
	for status, want := range map[int]bool{199: false, 200: true, 299: true, 300: false, 404: true, 405: false} {
		if h.Passed(status) != want {
			t.Errorf("%d passes %s: %v", status, h.Statuses, !want)
		}
	}
}
