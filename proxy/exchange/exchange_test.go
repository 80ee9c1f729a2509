package exchange

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestArenaTextsLiveUntilReset(t *testing.T) {
	var a Arena
	var texts []string
	for i := range 500 {
		texts = append(texts, a.Join("text-", a.Int(int64(i)), "-", strings.Repeat("x", i%37)))
		b := append(a.Scratch(8), fmt.Sprint(i)...)
		texts = append(texts, a.Keep(b))
	}
	for i := range 500 {
		if want := fmt.Sprintf("text-%d-%s", i, strings.Repeat("x", i%37)); texts[2*i] != want {
			t.Fatalf("text %d is %q, want %q", i, texts[2*i], want)
		}
		if texts[2*i+1] != fmt.Sprint(i) {
			t.Fatalf("kept %d is %q", i, texts[2*i+1])
		}
	}
}

func TestArenaAllocatesNothingOnceWarm(t *testing.T) {
	var a Arena
	if n := testing.AllocsPerRun(100, func() {
		a.Reset()
		a.Join("http://", "host", "/path")
		a.Int(12345)
	}); n != 0 {
		t.Errorf("%v allocations an exchange", n)
	}
}

func TestTable(t *testing.T) {
	var tb Table
	tb.Set("A", "1")
	tb.Set("B", "")
	tb.Set("A", "2")
	if v, ok := tb.Get("A"); v != "2" || !ok || tb.Len() != 2 || !tb.Has("B") || !tb.Has("a") {
		t.Errorf("table holds %v", tb)
	}
	tb.Unset("A")
	if tb.Has("A") || tb.Len() != 1 {
		t.Errorf("unset left %v", tb)
	}
}

func TestErrnoText(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "(111)Connection refused"},
		{fmt.Errorf("reading: %w", os.ErrDeadlineExceeded), "(70007)The timeout specified has expired"},
		{io.ErrUnexpectedEOF, "(70008)Partial results are valid but processing is incomplete"},
		{&net.DNSError{Err: "no such host"}, "(EAI 2)Name or service not known"},
		{fmt.Errorf("a script: %w", ErrGeneral), "(20014)Internal error (specific information not available)"},
		{fmt.Errorf("a packet: %w", ModuleError(120006)), "(120006)APR does not understand this error code"},
		{errors.New("other"), ""},
	} {
		if got := ErrnoText(c.err); got != c.want {
			t.Errorf("ErrnoText(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestSelfMadeURLs(t *testing.T) {
	for _, c := range []struct {
		canonical Canonical
		host      string
		port      int
		secure    bool
		want      string
	}{
		{CanonicalOff, "front.example", 99, false, "http://front.example:99/x"},
		{CanonicalOff, "front.example", 0, false, "http://front.example:81/x"},
		{CanonicalOff, "front.example", 443, true, "https://front.example/x"},
		{CanonicalOn, "front.example", 99, false, "http://canon.example:81/x"},
		{CanonicalOff, "", 0, false, "http://canon.example:81/x"},
		{CanonicalDNS, "front.example", 99, false, "http://dns.example:99/x"},
		{CanonicalDNS, "", 0, false, "http://dns.example:81/x"},
		{CanonicalDNS, "unknown", 99, false, "http://canon.example:99/x"},
	} {
		x := &Exchange{Conn: &Conn{Secure: c.secure}, Server: &Server{Name: "canon.example", Port: 81}, Local: &Local{CanonicalName: c.canonical}}
		if c.canonical == CanonicalDNS {
			x.Local.LocalName = func(*Exchange) string {
				if c.host == "unknown" {
					return ""
				}
				return "dns.example"
			}
		}
		x.Req.Host, x.Req.Port = c.host, c.port
		if got := x.ConstructURL("/x"); got != c.want {
			t.Errorf("%+v gives %s", c, got)
		}
	}
}

func TestResetKeepsNothingButStorage(t *testing.T) {
	x := &Exchange{Conn: &Conn{}}
	x.Req.Header.Add("A", "1")
	x.Env.Set("E", "1")
	x.Res.Status = 500
	v := reflect.ValueOf(x).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("text")
		case reflect.Int:
			f.SetInt(1)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		}
	}
	x.Start = time.Now()
	for i := range x.State {
		x.State[i] = i
	}
	x.Reset()
	if x.Req.Header.Len() != 0 || x.Env.Len() != 0 || x.Res.Status != 0 || x.Conn == nil {
		t.Errorf("after Reset: %+v", x)
	}
	storage := map[string]bool{"Conn": true, "Front": true, "Req": true, "Out": true, "Res": true, "Env": true, "Notes": true, "Arena": true, "finishers": true}
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; !storage[name] && !v.Field(i).IsZero() {
			t.Errorf("after Reset %s is %v", name, v.Field(i))
		}
	}
}

// TestTurn: it begins anew when an event loop was told.
func TestTurn(t *testing.T) {
	var turn Turn
	for i, want := range []Turn{400, 800, 0, 400} {
		if turn.Worked(&Exchange{}, 400, 1000); turn != want {
			t.Errorf("%d: %d bytes, want %d", i, turn, want)
		}
	}
}
