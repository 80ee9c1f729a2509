package fcgi

import (
	"net"
	"strings"
	"testing"

	"balancerd/proxy/backend"
	"balancerd/proxy/backend/membertest"
)

// answer has everything that an answer may have.
var answer = all(errout("a warning"), out("Status: 201 Made\r\nX-A: 1\r\n"), record(99, "unknown"), out("X-A: 2\r\n\r\nbo"), errout("late"), out("dy"), end())

func TestAnswerAtEachByte(t *testing.T) {
	membertest.Split(t, answer, readRequest, membertest.Says, func(s func(net.Conn)) membertest.Outcome { return ask(t, get(), s) })
	o := ask(t, get(), membertest.Says(readRequest, answer))
	if o.Status != 201 || o.Reason != "Made" || o.Body != "body" || o.Fields != "X-A: 1, 2\n" || !o.Kept || o.Length != -1 {
		t.Error(o)
	}
	if want := "AH01071: Got error 'a warning'\nAH01072: Got bogus record 99\nAH01071: Got error 'late'\n"; o.Log != want {
		t.Errorf("%q", o.Log)
	}
}

// Nothing that a member says is taken for an answer before it is one, nor for a whole one before it ended.
func TestAnswerCutAtEachByte(t *testing.T) {
	began := strings.Index(string(answer), "\r\n\r\nbo") + 4
	ended := len(answer) - 16 // END_REQUEST
	membertest.Cut(t, answer, readRequest, func(s func(net.Conn)) membertest.Outcome { return ask(t, get(), s) }, func(n int, o membertest.Outcome) bool {
		switch {
		case o.Kept:
			return false
		case n <= began:
			return o.Kind == backend.EarlyClose
		case n < ended:
			return o.Status == 201 && o.Broken && strings.HasPrefix("body", o.Body)
		}
		return o.Status == 201 && !o.Broken && o.Body == "body"
	})
}

func TestHostileMembers(t *testing.T) {
	const head = "X-A: 1\r\n\r\n"
	foreign := func(b []byte) { b[3] = 2 }
	later := func(b []byte) { b[0] = 2 }
	padded := func(text string) []byte {
		return append(record(stdout, text, func(b []byte) { b[6] = 255 }), make([]byte, 255)...)
	}
	for name, c := range map[string]struct {
		says []byte
		want func(o membertest.Outcome) bool
	}{
		"another version":           {record(stdout, head+"x", later), fails(backend.BadFraming)},
		"another request":           {record(stdout, head+"x", foreign), fails(backend.BadFraming)},
		"another request in a body": {all(out(head+"x"), record(stdout, "y", foreign), end()), breaks("x")},
		"another version in a body": {all(out(head+"x"), record(stdout, "y", later), end()), breaks("x")},
		"no answer":                 {end(), fails(backend.BadHead)},
		"no head":                   {all(out("X-A: 1\r\n"), end()), fails(backend.BadHead)},
		"overloaded":                {record(endRequest, "\x00\x00\x00\x00\x02\x00\x00\x00"), fails(backend.NotTaken)},
		"takes one at a time":       {record(endRequest, "\x00\x00\x00\x00\x01\x00\x00\x00"), fails(backend.NotTaken)},
		"short end":                 {record(endRequest, "\x00"), fails(backend.BadHead)},
		"interim":                   {all(out("Status: 103 Early\r\n\r\nx"), end()), fails(backend.BadHead)},
		"no colon":                  {all(out("nonsense\r\n\r\nx"), end()), refuses},
		"long line":                 {all(out("X-A: "+strings.Repeat("a", 9000)+"\r\n\r\nx"), end()), refuses},
		"long head":                 {all(out(strings.Repeat("X-A: 1\r\n", 8000)), out(strings.Repeat("X-A: 1\r\n", 8000)), end()), fails(backend.BadHead)},
		"STDERR alone":              {all(manyTimes(errout(strings.Repeat("e", 60000)), 20)), fails(backend.BadHead)},
		"unknown records alone":     {all(manyTimes(record(50, strings.Repeat("e", 60000)), 20)), fails(backend.BadHead)},
		"empty STDERR alone":        {manyTimes(errout(""), mostIdle/leadSize+1), fails(backend.BadHead)},
		"empty STDERR in a body":    {all(out(head+"x"), manyTimes(errout(""), mostIdle/leadSize+1), end()), breaks("x")},
		"empty unknown records": {manyTimes(record(50, ""), mostIdle/leadSize+1), func(o membertest.Outcome) bool {
			return fails(backend.BadHead)(o) && strings.Count(o.Log, "AH01072") == mostBogus
		}},
		"empty STDOUT and no end": {all(out(head+"x"), manyTimes(out(""), 2*mostIdle/leadSize)), func(o membertest.Outcome) bool { return o.Body == "x" && !o.Kept }},
		"padding alone":           {manyTimes(append(record(stderr, "", func(b []byte) { b[6] = 255 }), make([]byte, 255)...), mostIdle/255), fails(backend.BadHead)},
		"padding":                 {all(padded(head), padded("x"), end()), answers("x")},
		"bytes behind the end":    {all(out(head+"x"), end(), out("y")), func(o membertest.Outcome) bool { return o.Body == "x" && !o.Broken && !o.Kept }},
		"a body behind its end":   {all(out(head+"x"), out(""), out("y"), record(endRequest, "12345678")), func(o membertest.Outcome) bool { return !o.Broken && !o.Kept || o.Body == "xy" }},
		"STDERR in a body alone":  {all(out(head+"x"), manyTimes(errout(strings.Repeat("e", 60000)), 20), end()), breaks("x")},
		"head in bytes":           {all(manyBytes(head+"x"), end()), answers("x")},
		"empty STDERR":            {all(errout(""), out(head+"x"), end()), answers("x")},
		"large answer":            {all(out(head), manyTimes(out(strings.Repeat("y", 65535)), 30), end()), answers(strings.Repeat("y", 65535*30))},
	} {
		if o := ask(t, get(), membertest.Says(readRequest, c.says)); !c.want(o) {
			t.Errorf("%s: %v\n%.300s", name, o, o.Log)
		}
	}
}

func fails(kind backend.Kind) func(membertest.Outcome) bool {
	return func(o membertest.Outcome) bool { return o.Kind == kind && !o.Kept }
}

func breaks(body string) func(membertest.Outcome) bool {
	return func(o membertest.Outcome) bool { return o.Status == 200 && o.Body == body && o.Broken && !o.Kept }
}

func answers(body string) func(membertest.Outcome) bool {
	return func(o membertest.Outcome) bool { return o.Status == 200 && o.Body == body && !o.Broken && o.Kept }
}

func refuses(o membertest.Outcome) bool {
	return o.Status == 500 && o.Body == "" && o.Length == 0 && !o.Kept
}

func manyTimes(p []byte, n int) []byte {
	var b []byte
	for range n {
		b = append(b, p...)
	}
	return b
}

func manyBytes(text string) []byte {
	var b []byte
	for i := range len(text) {
		b = append(b, out(text[i:i+1])...)
	}
	return b
}

// A member that says nothing, or stops in its head or body, costs no more than the worker's timeout.
func TestSlowMember(t *testing.T) {
	membertest.Slow(t, "fcgi", NewBackend(), readRequest, map[string]func(membertest.Outcome) bool{
		"":                             fails(backend.ReadTimeout),
		string(out("X-A: 1\r\n")):      fails(backend.ReadTimeout),
		string(out("X-A: 1\r\n\r\n")):  fails(backend.ReadTimeout),
		string(out("X-A: 1\r\n\r\nx")): breaks("x"),
	})
}

// A head that is refused leaves the fields that were there before as they were.
func TestRefusedHeadLeavesFields(t *testing.T) {
	for _, says := range []string{"Content-Type:\r\nETag: theirs\r\nno colon\r\n\r\n", "ETag: theirs\r\nLocation: /\r\nno colon\r\n\r\n", "Content-Type: a/b\r\nno colon\r\n\r\n"} {
		x := get()
		x.Res.Header.Add("Content-Type", "text/own")
		x.Res.Header.Add("ETag", "own")
		x.Res.Header.Add("Vary", "own")
		if o := ask(t, x, membertest.Says(readRequest, all(out(says), end()))); !refuses(o) || o.Fields != "Content-Type: text/own\nETag: own\nVary: own\n" {
			t.Errorf("%q: %v", says, o)
		}
	}
}

// The answer in the place of one whose head is refused is no member's that ProxyErrorOverride replaces; a reason that came
// with 500 is its own (recorded from httpd).
func TestRefusedHeadIsFinal(t *testing.T) {
	for says, reason := range map[string]string{"": "Internal Server Error", "Status: 404\r\n": "Internal Server Error", "Status: 404 Mine\r\n": "Internal Server Error",
		"Status: 500\r\n": "Internal Server Error", "Status: 500 Mine\r\n": "Mine"} {
		x := get()
		if o := ask(t, x, membertest.Says(readRequest, all(out(says+"no colon\r\n\r\n"), end()))); !refuses(o) || o.Reason != reason || !x.Res.Final {
			t.Errorf("%q: %v, final %v", says, o, x.Res.Final)
		}
	}
}

// A trusted Content-Length is held to: what is longer or shorter breaks off.
func TestTrustedLength(t *testing.T) {
	for body, want := range map[string]func(membertest.Outcome) bool{
		"12345":  func(o membertest.Outcome) bool { return o.Length == 5 && o.Body == "12345" && !o.Broken && o.Kept },
		"1234":   func(o membertest.Outcome) bool { return o.Length == 5 && o.Broken && !o.Kept },
		"123456": func(o membertest.Outcome) bool { return o.Length == 5 && o.Broken && !o.Kept },
	} {
		x := get()
		x.Env.Set("ap_trust_cgilike_cl", "1")
		if o := ask(t, x, membertest.Says(readRequest, all(out("Content-Length: 5\r\n\r\n"+body), end()))); !want(o) {
			t.Errorf("%q: %v", body, o)
		}
	}
}

// Whatever a member does with its connection, the request comes to an end, and the connection is not used again.
func TestRudeMembers(t *testing.T) {
	membertest.Rude(t, "fcgi", NewBackend(), readRequest, answer, "POST")
}

// Fields of modules stay beside those of the member that answers in another one's place, as in httpd.
func TestFieldsOfModulesAfterAFailure(t *testing.T) {
	x := membertest.Request("GET", "/x", "", 0)
	x.Res.Header.Add("Vary", "X-A")
	gone := membertest.Worker(t, "fcgi", nil, func(c net.Conn) { readRequest(c) })
	if err := NewBackend().RoundTrip(t.Context(), gone, x, &backend.Call{}); err == nil {
		t.Fatal("answered")
	}
	o := ask(t, x, membertest.Says(readRequest, all(out("Content-Type: a/b\r\n\r\nx"), end())))
	if o.Fields != "Vary: X-A\nContent-Type: a/b\n" {
		t.Error(o)
	}
}
