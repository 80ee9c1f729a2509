package heartbeat

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/balancer/method"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/recovery"
	"balancerd/proxy/site"
)

const patience = 20 * time.Second

func wait(t testing.TB, missing func() string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		m := missing()
		if m == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal(m)
		}
	}
}

// book is an error log in memory.
type book struct {
	mu     sync.Mutex
	lines  []string
	breaks string // the first line with it is a panic; "": none is
}

func (b *book) Write(e *exchange.LogEntry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.breaks != "" && strings.Contains(e.Message, b.breaks) {
		b.breaks = ""
		panic("the log is broken")
	}
	b.lines = append(b.lines, strings.TrimPrefix(e.Module+":"+e.Level.String()+" "+e.Errno+": "+e.Message, ": "))
}

func (b *book) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.lines)
}

// rig is the modules over one process.
type rig struct {
	t    testing.TB
	pick *method.Heartbeat
	mods []site.Module
	log  book
	site *site.Site
	conf *directive.Config
}

func newRig(t testing.TB, load Load, conf string) *rig {
	r := &rig{t: t, pick: &method.Heartbeat{}}
	r.mods = []site.Module{WatchdogModule(), SenderModule(load), MonitorModule(r.pick), Module(r.pick), core.Module()}
	r.load(conf)
	t.Cleanup(func() { r.load("") })
	return r
}

func bind(conf string, mods []site.Module) (*directive.Config, error) {
	head := "LoadModule heartbeat_module x\nLoadModule heartmonitor_module x\nLoadModule lbmethod_heartbeat_module x\n"
	tree, err := apacheconf.ParseText("test.conf", head+conf, apacheconf.Options{ServerRoot: "/", Modules: directive.Catalog{}})
	if err != nil {
		return nil, err
	}
	return directive.Bind(tree, directive.Options{}, site.Tables(mods)...)
}

func (r *rig) load(conf string) {
	r.t.Helper()
	c, err := bind(conf, r.mods)
	if err != nil {
		r.t.Fatal(err)
	}
	st, err := site.Build(c, r.mods, site.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	st.Hosts[0].Server.ErrorLog = &r.log
	st.Commit()
	r.site, r.conf = st, c
}

// ready is what a pick knows of servers.
func (r *rig) ready() string {
	f := balancer.NewFarm(method.Builtin(r.pick), nil)
	a, _ := balancer.ParseAddress("http://127.0.0.1:1", "/", false)
	spec := balancer.Spec{VHost: "v", Name: "balancer://c", Settings: balancer.NewBalancerSettings(), Env: balancer.Env{Methods: []string{"heartbeat"}},
		Members: []balancer.WorkerSpec{{Address: a, Settings: balancer.NewWorkerSettings()}}}
	spec.Settings.Method = balancer.Some("heartbeat")
	p, err := f.Plan(context.Background(), slices.Values([]balancer.Spec{spec}), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	f.Commit(p)
	if _, err := f.Balancer("v", "c").Claim(nil, time.Now()); err != nil {
		return "nobody"
	}
	return "picked"
}

func post(h exchange.Handler, body string) (status int, err error) {
	x := &exchange.Exchange{Conn: &exchange.Conn{RemoteIP: "127.0.0.1"}, ClientIP: "10.9.9.9", Server: &exchange.Server{}}
	x.Req.Method, x.Req.Body = "POST", &text{strings.NewReader(body)}
	err = h.Serve(context.Background(), x)
	return x.Res.Status, err
}

// text is a request's body.
type text struct{ io.Reader }

func (*text) Buffered() []byte { return nil }
func (*text) Discard(int)      {}
func (*text) Taken() int64     { return 0 }

// handler is what SetHandler heartbeat leads to.
func (r *rig) handler() exchange.Handler {
	p := &site.Plan{}
	b, err := r.mods[2].Open(r.conf, &site.Site{Config: r.conf})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := b(nil, p); err != nil {
		r.t.Fatal(err)
	}
	h, ok := p.HandlerNamed("heartbeat")
	if !ok {
		r.t.Fatal("no handler")
	}
	return h
}

// What is refused, and with which words, was asked of httpd 2.4.71.
func TestWords(t *testing.T) {
	listen, address := "HeartbeatListen: ", "HeartbeatAddress: "
	for line, want := range map[string]string{
		"HeartbeatListen 239.0.0.1:27999": "", "HeartbeatListen 127.0.0.1:27999": "", "HeartbeatListen 239.0.0.1": listen + "No port provided in multicast address",
		"HeartbeatListen 239.0.0.1:0": listen + "Unable to parse multicast address.", "HeartbeatListen :27999": listen + "Unable to parse multicast address.",
		"HeartbeatListen 27999": listen + "No host provided in multicast address", "HeartbeatListen 239.0.0.1:99999": listen + "Unable to parse multicast address.",
		"HeartbeatListen 239.0.0.1:x": listen + "No port provided in multicast address", "HeartbeatListen [ff02::1]:27999": listen + "apr_sockaddr_info_get failed on multicast address",
		"HeartbeatListen 239.0.0.1:1\nHeartbeatListen 239.0.0.1:1": listen + "May only be specified once.",
		"HeartbeatAddress 127.0.0.1:27999":                         "", "HeartbeatAddress 239.0.0.1": address + "No port provided in address", "HeartbeatAddress 27999": address + "No host provided in address",
		"HeartbeatAddress 239.0.0.1:99999": address + "Unable to parse address.", "HeartbeatAddress [::1]:27999": address + "apr_sockaddr_info_get failed.",
		"HeartbeatAddress 239.0.0.1:1\nHeartbeatAddress 239.0.0.1:1": address + "May only be specified once.",
		"HeartbeatMaxServers 0": "", "HeartbeatMaxServers 10": "", "HeartbeatMaxServers x": "", "HeartbeatMaxServers 10x": "",
		"HeartbeatMaxServers 9":  "HeartbeatMaxServers: Should be 0 for file storage, or greater or equal than 10 for slotmem",
		"HeartbeatMaxServers -1": "HeartbeatMaxServers: Should be 0 for file storage, or greater or equal than 10 for slotmem",
		"WatchdogInterval 2min":  "", "WatchdogInterval 50ms": "Invalid WatchdogInterval: minimal value 100ms", "WatchdogInterval 0": "Invalid WatchdogInterval: minimal value 100ms",
		"WatchdogInterval x": "Unparse-able WatchdogInterval setting", "WatchdogInterval -1": "Unparse-able WatchdogInterval setting",
		"<VirtualHost *:80>\nHeartbeatListen 239.0.0.1:27999\n</VirtualHost>": "HeartbeatListen cannot occur within <VirtualHost> section",
		"<VirtualHost *:80>\nHeartbeatStorage x\n</VirtualHost>":              "HeartbeatStorage cannot occur within <VirtualHost> section",
		"<Location /x>\nHeartbeatAddress 1.2.3.4:5\n</Location>":              "HeartbeatAddress not allowed in <Location> context",
	} {
		r := &method.Heartbeat{}
		_, err := bind(line+"\n", []site.Module{WatchdogModule(), SenderModule(nil), MonitorModule(r), Module(r)})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if want == "" && got != "" || want != "" && !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// Two modules have HeartbeatStorage: the words are those of the one that was loaded last.
func TestStorageOfTwoModules(t *testing.T) {
	mods := []site.Module{MonitorModule(nil), Module(nil), core.Module()}
	for load, want := range map[string]string{"lbmethod_heartbeat heartmonitor": "Path to store", "heartmonitor lbmethod_heartbeat": "Path to read", "heartmonitor": "Path to store", "lbmethod_heartbeat": "Path to read"} {
		conf := ""
		for name := range strings.FieldsSeq(load) {
			conf += "LoadModule " + name + "_module x\n"
		}
		tree, err := apacheconf.ParseText("test.conf", conf+"HeartbeatStorage\n", apacheconf.Options{ServerRoot: "/", Modules: directive.Catalog{}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = directive.Bind(tree, directive.Options{}, site.Tables(mods)...)
		if err == nil || !strings.Contains(err.Error(), "HeartbeatStorage takes one argument, "+want+" heartbeat data.") {
			t.Errorf("%s: %v", load, err)
		}
	}
}

// Reports by POST, as httpd took them, but for what is negative, which it takes for a huge number.
func TestPostedReports(t *testing.T) {
	r := newRig(t, nil, "HeartbeatListen 127.0.0.1:"+freePort(t)+"\n")
	h := r.handler()
	for _, c := range []struct {
		body string
		want exchange.Status // 0: 200
		pick string
		said string
	}{
		{"v=1&ready=10&busy=1", 0, "picked", ""}, {"ready=0&busy=3", 0, "nobody", ""}, {"ready=8&busy=0", 0, "picked", ""}, {"ready=3&busy=0", 0, "nobody", ""},
		{"ready=10", 400, "nobody", "AH10563: Missing required parameters: busy and/or ready"}, {"busy=1", 400, "nobody", "AH10563"}, {"", 400, "nobody", "AH10563"},
		{"ready=%35&busy=1", 0, "picked", ""}, {"ready=x&busy=1", 0, "nobody", "AH10566: Invalid ready value: x, using 0"}, {"ready=5;busy=1", 400, "nobody", "AH10563"},
		{"ready=5&busy=y", 0, "picked", "AH10565: Invalid busy value: y, using 0"}, {"ready=0&busy=1&port=70000", 0, "nobody", "AH10564: Invalid port value: 70000, using default 80"},
		{"ready=5&busy=1&port=", 0, "picked", "AH10564: Invalid port value: , using default 80"}, {"ready=&busy=", 0, "nobody", ""}, {"ready&busy", 0, "picked", ""}, {"ready=-1&busy=1", 0, "nobody", "AH10566"},
		{"READY=5&BUSY=2", 0, "picked", ""}, {"ready=2147483648&busy=1", 0, "picked", ""}, {strings.Repeat("x", 999) + "&ready=0&busy=1", 400, "picked", "AH10563"}, {"ready=0&busy=1&" + strings.Repeat("x", 5000), 0, "nobody", ""},
	} {
		log := &book{}
		x := &exchange.Exchange{Conn: &exchange.Conn{RemoteIP: "127.0.0.1"}, ClientIP: "10.9.9.9", Server: &exchange.Server{ErrorLog: log}}
		x.Req.Method, x.Req.Body = "POST", &text{strings.NewReader(c.body)}
		err := h.Serve(context.Background(), x)
		if c.want == 0 && (err != nil || x.Res.Status != 200) || c.want != 0 && err != c.want {
			t.Errorf("%.40s: %v, %d", c.body, err, x.Res.Status)
		}
		if got := r.ready(); got != c.pick {
			t.Errorf("%.40s: %s, want %s", c.body, got, c.pick)
		}
		if got := strings.Join(log.all(), "\n"); c.said == "" && got != "" || !strings.Contains(got, c.said) {
			t.Errorf("%.40s: the log has %q, want %q", c.body, got, c.said)
		}
	}
	x := &exchange.Exchange{Conn: &exchange.Conn{}, Server: &exchange.Server{}}
	x.Req.Method = "GET"
	if err := h.Serve(context.Background(), x); err != exchange.Status(405) {
		t.Errorf("GET: %v", err)
	}
	r.load("")
	if _, err := post(r.handler(), "ready=1&busy=1"); err != exchange.Status(503) {
		t.Errorf("without HeartbeatListen: %v", err)
	}
}

// freePort is a port of UDP that nobody has just now.
func freePort(t testing.TB) string {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	return port
}

// A server reports, another one hears it: at once, also over a reload; what is malformed is told of, seldom.
func TestSendingAndHearing(t *testing.T) {
	port := freePort(t)
	busy := 3
	conf := "HeartbeatAddress 127.0.0.1:" + port + "\nHeartbeatListen 127.0.0.1:" + port + "\nWatchdogInterval 100ms\n"
	r := newRig(t, func() (int, int) { return 7, busy }, conf)
	wait(t, func() string {
		if got := r.ready(); got != "picked" {
			return got
		}
		return ""
	})
	r.load(conf) // the socket stays
	c, err := net.Dial("udp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	began := time.Now()
	for range 50 {
		fmt.Fprint(c, "ready=12&busy=2")
		fmt.Fprint(c, strings.Repeat("&", 60000))
	}
	malformed := func() (n int) {
		for _, l := range r.log.all() {
			if strings.HasPrefix(l, "heartmonitor:crit : AH02087: malformed message from 127.0.0.1:") {
				n++
			}
		}
		return n
	}
	wait(t, func() string {
		if malformed() == 0 {
			return fmt.Sprint("nothing is said of malformed messages: ", r.log.all())
		}
		return ""
	})
	if n := malformed(); n > mostComplaints*(1+int(time.Since(began)/complainEvery)) {
		t.Errorf("%d lines about a hundred malformed messages", n)
	}
	r.load("")
	if l, err := net.ListenPacket("udp4", "127.0.0.1:"+port); err != nil {
		t.Errorf("the socket is still there: %v", err)
	} else {
		l.Close()
	}
}

// A panic while members are heard does not end hearing them.
func TestHearingOutlivesPanics(t *testing.T) {
	recovery.SetLog(func(string) {})
	defer recovery.SetLog(nil)
	port := freePort(t)
	r := newRig(t, nil, "HeartbeatListen 127.0.0.1:"+port+"\n")
	r.log.mu.Lock()
	r.log.breaks = "AH02087"
	r.log.mu.Unlock()
	c, err := net.Dial("udp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	before := recovery.Panics()
	wait(t, func() string {
		fmt.Fprint(c, "no report")
		if recovery.Panics() == before {
			return "no panic"
		}
		return ""
	})
	wait(t, func() string {
		fmt.Fprint(c, "v=1&ready=12&busy=2")
		if got := r.ready(); got != "picked" {
			return "after a panic nobody is heard"
		}
		return ""
	})
}

// What cannot be had is two lines in the log, and no failed start.
func TestListeningFails(t *testing.T) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := newRig(t, nil, "")
	r.load("HeartbeatListen " + c.LocalAddr().String() + "\n")
	want := []string{"heartmonitor:crit (98)Address already in use: AH02071: Failed to bind on socket.", "heartmonitor:crit (98)Address already in use: AH02090: Unable to listen for connections!"}
	got := slices.DeleteFunc(r.log.all(), func(l string) bool { return !strings.Contains(l, ":crit") })
	if !slices.Equal(got, want) {
		t.Errorf("the log has %q", got)
	}
}

// The file is written for httpd's own readers, whole, and read back by the next server.
func TestFileStorage(t *testing.T) {
	dir := t.TempDir()
	conf := "HeartbeatListen 127.0.0.1:" + freePort(t) + "\nHeartbeatMaxServers 0\nHeartbeatStorage " + dir + "/hb.dat\n"
	r := newRig(t, nil, conf)
	if _, err := post(r.handler(), "ready=5&busy=1&port=8080"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(dir + "/hb.dat")
	if got, want := string(b), "127.0.0.1 &ready=5&busy=1&lastseen=0&port=8080\n"; err != nil || got != want {
		t.Errorf("%v, %q, want %q", err, got, want)
	}
	if st, _ := os.Stat(dir + "/hb.dat"); st.Mode().Perm() != 0o444 {
		t.Errorf("mode %v", st.Mode())
	}
	if r.ready() != "picked" {
		t.Error("the method does not read the file")
	}
	if left, _ := filepath.Glob(dir + "/hb.dat.tmp*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	next := newRig(t, nil, conf[strings.IndexByte(conf, '\n')+1:])
	now := time.Now()
	all := monitorOf(next).beats.Reports(now)
	if got := all["127.0.0.1"]; len(all) != 1 || got.Ready != 5 || got.Busy != 1 || got.Port != 8080 || now.Sub(got.Seen) > patience {
		t.Errorf("read back: %v", all)
	}
	os.Chmod(dir, 0o500)
	defer os.Chmod(dir, 0o700)
	if os.Geteuid() != 0 {
		post(r.handler(), "ready=6&busy=1")
		post(r.handler(), "ready=7&busy=1")
		if n := strings.Count(strings.Join(r.log.all(), "\n"), "AH02081"); n != 1 {
			t.Errorf("%d lines about a file that can't be written", n)
		}
	}
}

// A report that was heard after the file was written is not lost to the file at a reload.
func TestReloadKeepsWhatIsNewerThanTheFile(t *testing.T) {
	r := newRig(t, nil, "HeartbeatMaxServers 0\nHeartbeatStorage "+t.TempDir()+"/hb.dat\n")
	m := monitorOf(r)
	m.report("127.0.0.1", method.Report{Ready: 5, Busy: 1, Seen: time.Now()})
	m.store(nil)
	m.report("127.0.0.1", method.Report{Ready: 2, Busy: 4, Seen: time.Now()})
	m.begin(monitors.In(r.conf.Main), r.site)
	if got := m.beats.Reports(time.Now())["127.0.0.1"]; got.Ready != 2 || got.Busy != 4 {
		t.Errorf("after a reload: %+v", got)
	}
}

// A reload that names another file reads that, too; what was heard since it was written counts more.
func TestReloadReadsAnotherFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"two":   "127.0.0.1 &ready=9&busy=1&lastseen=3&port=80\n127.0.0.2 &ready=8&busy=1&lastseen=3&port=80\nlong.gone &ready=8&busy=1&lastseen=31&port=80\n",
		"three": "127.0.0.3 &ready=7&busy=1&lastseen=0&port=80\n127.0.0.4 &ready=1&busy=1&lastse", // torn
	} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	conf := "HeartbeatMaxServers 0\nHeartbeatStorage " + dir + "/"
	r := newRig(t, nil, conf+"one\n")
	m := monitorOf(r)
	heard := time.Now()
	m.report("127.0.0.1", method.Report{Ready: 5, Busy: 1, Seen: heard})
	for _, c := range []struct{ file, want string }{
		{"two", "map[127.0.0.1:5 127.0.0.2:8]"}, {"three", "map[127.0.0.1:5 127.0.0.2:8 127.0.0.3:7]"}, {"none", "map[127.0.0.1:5 127.0.0.2:8 127.0.0.3:7]"},
	} {
		r.load(conf + c.file + "\n")
		m.begin(monitors.In(r.conf.Main), r.site)
		got := map[string]int{}
		for key, report := range m.beats.Reports(heard) {
			got[key] = report.Ready
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: have %v, want %s", c.file, got, c.want)
		}
	}
	ahead := time.Now().Add(24 * time.Hour) // whoever may write the file may say when
	if err := os.Chtimes(dir+"/two", ahead, ahead); err != nil {
		t.Fatal(err)
	}
	fresh := monitorOf(newRig(t, nil, conf+"two\n"))
	if n := len(fresh.beats.Reports(time.Now().Add(method.Forgotten + patience))); n > 0 {
		t.Errorf("%d servers of a file from the future are never forgotten", n)
	}
}

// Thousands of senders, whose reports are as long as may be, take the room that there is, and the members that were there stay.
func TestManySenders(t *testing.T) {
	r := newRig(t, nil, "HeartbeatMaxServers 0\nHeartbeatStorage "+t.TempDir()+"/hb.dat\n")
	m := monitorOf(r)
	long := "v=1&ready=3&busy=1&" + strings.Repeat("a=%00&", longestReport/6)
	report := func(key, text string) {
		b, ok := heard(text[:min(len(text), longestReport)], time.Now())
		if !ok {
			t.Fatal("no report: ", text)
		}
		m.report(key, b)
	}
	report("127.0.0.1", "v=1&ready=5&busy=1")
	for i := range 3 * mostStored {
		report(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), long)
	}
	report("127.0.0.1", "v=1&ready=6&busy=1")
	all := m.beats.Reports(time.Now())
	if len(all) != mostStored || all["127.0.0.1"].Ready != 6 {
		t.Errorf("%d servers are kept, the first is %+v", len(all), all["127.0.0.1"])
	}
	m.store(nil)
	if st, err := os.Stat(m.storage); err != nil || st.Size() > mostStored*80 {
		t.Errorf("the file: %v, %v", st, err)
	}
}

// monitorOf is what keeps a rig's reports.
func monitorOf(r *rig) *monitor {
	m := &monitor{method: r.pick}
	m.begin(monitors.In(r.conf.Main), r.site)
	return m
}

// A table has room for so many; who was not heard of for long gives way, nobody else.
func TestRoomForReports(t *testing.T) {
	b := method.NewBeats(10)
	now := time.Now()
	for i := range 20 {
		if took := b.Put(fmt.Sprint(i), method.Report{Ready: 1, Seen: now}); took != (i < 10) {
			t.Errorf("report %d: %v", i, took)
		}
	}
	if !b.Put("3", method.Report{Ready: 2, Seen: now.Add(20 * time.Second)}) {
		t.Error("one that is known is not taken")
	}
	if !b.Put("new", method.Report{Seen: now.Add(31 * time.Second)}) || len(b.Reports(now.Add(31*time.Second))) != 2 {
		t.Error("those that were not heard of for long do not give way")
	}
}

// Any text is a report or none, and numbers are never negative.
func FuzzReports(f *testing.F) {
	for _, s := range []string{"v=1&ready=5&busy=1&port=80", "ready=-1&busy=%00", "&&=&%zz=%", "ready=99999999999999999999&busy=+3"} {
		f.Add(s)
	}
	now := time.Now()
	f.Fuzz(func(t *testing.T, s string) {
		r, _ := heard(s, now)
		p, _, _ := posted(s, now)
		for _, n := range []int{r.Ready, r.Busy, r.Port, p.Ready, p.Busy, p.Port} {
			if n < 0 || n > most {
				t.Fatal(n)
			}
		}
	})
}
