package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
)

// What a member says of its connection, and its cookies, costs as much time as it has bytes; many are
// treated as few are.
func TestCleanManyFields(t *testing.T) {
	var h exchange.Header
	var head strings.Builder
	var options []string
	head.WriteString("HTTP/1.1 200 OK\r\n")
	for i := range 1000 {
		fmt.Fprintf(&head, "Set-Cookie: c%d\r\nX%d: v\r\n", i, i)
		if i%2 == 0 {
			options = append(options, fmt.Sprint(" x", i))
		}
	}
	head.WriteString("Connection: " + strings.Join(options, ",") + "; close\r\n\r\n")
	a := &codec{x: &exchange.Exchange{}, framing: wire.Framing{Body: wire.UntilClose, Length: -1}}
	if _, err := wire.ParseResponse([]byte(head.String()), &wire.ResponseRules{FieldSize: 8192}, &a.res, &h); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	closes := a.clean(&h)
	if d := time.Since(began); d > time.Second {
		t.Errorf("%v", d)
	}
	if !closes || h.Len() != 1500 {
		t.Fatal(closes, h.Len())
	}
	for i := range 500 {
		if want := fmt.Sprint("X", 2*i+1); h.F[i].Name != want {
			t.Fatalf("field %d is %s, want %s", i, h.F[i].Name, want)
		}
	}
	for i := range 1000 {
		if want := fmt.Sprint("c", i); h.F[500+i].Value != want {
			t.Fatalf("cookie %d is %s, want %s", i, h.F[500+i].Value, want)
		}
	}
}

// An answer has one type: the first that is not empty.
func TestCleanKeepsOneType(t *testing.T) {
	for head, want := range map[string]string{
		"Content-Type: a/b\r\nX: 1\r\nContent-Type: c/d\r\n": "Content-Type=a/b X=1",
		"Content-Type:\r\nContent-Type: c/d\r\n":             "Content-Type= Content-Type=c/d",
	} {
		var h exchange.Header
		a := &codec{x: &exchange.Exchange{}, framing: wire.Framing{Body: wire.UntilClose, Length: -1}}
		if _, err := wire.ParseResponse([]byte("HTTP/1.1 200 OK\r\n"+head+"\r\n"), &wire.ResponseRules{FieldSize: 8192}, &a.res, &h); err != nil {
			t.Fatal(err)
		}
		a.clean(&h)
		got := ""
		for _, f := range h.F {
			got += " " + f.Name + "=" + f.Value
		}
		if got = strings.TrimSpace(got); got != want {
			t.Errorf("%q: %s, want %s", head, got, want)
		}
	}
}

// FuzzCookiesLast holds the two ways to move cookies against each other.
func FuzzCookiesLast(f *testing.F) {
	f.Add("cxxccx")
	f.Fuzz(func(t *testing.T, kinds string) {
		var few, want exchange.Header
		for pass := range 2 {
			for i, k := range []byte(kinds[:min(len(kinds), manyCookies)]) {
				if (k == 'c') == (pass == 1) {
					want.Add(map[bool]string{true: "Set-Cookie", false: "X"}[k == 'c'], fmt.Sprint(i))
				}
				if pass == 0 {
					few.Add(map[bool]string{true: "Set-Cookie", false: "X"}[k == 'c'], fmt.Sprint(i))
				}
			}
		}
		many := exchange.Header{F: slices.Clone(few.F)}
		many.F = append(many.F, make([]exchange.Field, manyCookies)...)
		if few.IndexID(wire.SetCookie) >= 0 {
			cookiesLast(&few)
			cookiesLast(&many)
		}
		kept := slices.DeleteFunc(many.F, func(f exchange.Field) bool { return f.Name == "" })
		if !slices.Equal(few.F, want.F) || !slices.Equal(kept, want.F) {
			t.Errorf("%q: %v, %v, want %v", kinds, few.F, kept, want.F)
		}
	})
}
