package headers

import (
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
)

// FuzzHeader: no directive and no field makes the module fall over, and what a response has in the end
// is fit to be sent.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{"set X y", "always edit* X-E a* b$0", `edit X-E "(.)" "%{E}e\n"`, "merge X-L a env=E", "echo ^X", "note X-E %t", "set X expr=%{REQUEST_METHOD} expr=true", "unset Content-Type early", "set X %"} {
		f.Add(s, "aaa, bab")
	}
	c, err := bind(f, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw, value string) {
		if strings.Contains(strings.ToLower(raw), "file") || strings.Contains(raw, "ipmatch") || !validValue(value) || strings.ContainsAny(raw, "\x00\n") {
			return
		}
		for _, set := range []func(*directive.Scope, directive.Args) error{setResponse, setRequest} {
			s := c.Main.View("Location")
			*settings.In(s) = lists{}
			if set(s, directive.Args{Name: "Header", Raw: raw}) != nil {
				continue
			}
			l := settings.In(s)
			x := sample("X-E: "+value, "Content-Type: "+value)
			apply(l.request, &target{x: x, h: &x.Req.Header})
			if r := newReply(l.always, l.response, false); r != nil {
				r.step(t.Context(), x)
				r.step(t.Context(), x)
			}
			for i := range x.Res.Header.F {
				if msg := improper(&x.Res.Header.F[i]); msg != "" {
					t.Fatalf("%q makes %s", raw, msg)
				}
			}
			for i := range x.Req.Header.F {
				if strings.ContainsAny(x.Req.Header.F[i].Value, "\r\n\x00") {
					t.Fatalf("%q makes %q", raw, x.Req.Header.F[i].Value)
				}
			}
		}
	})
}

// FuzzReplace holds edit and edit* against strings' own replacing, for matches that are plain text.
func FuzzReplace(f *testing.F) {
	f.Add("banana", "an", "x")
	f.Add("aaa", "a", "aa")
	f.Fuzz(func(t *testing.T, v, old, by string) {
		if old == "" || strings.ContainsAny(old, `\.+*?()|[]{}^$`) || strings.ContainsAny(by, `\$`) || strings.ToValidUTF8(old, "") != old {
			return
		}
		d := reader{e: edit{act: editAll}, rest: []string{old, by}}
		if _, err := d.readEdit(); err != nil {
			return
		}
		d.e.value = value{constant: by}
		x := sample()
		if got := d.e.replace(x, v); got != strings.ReplaceAll(v, old, by) {
			t.Fatalf("%q %q %q: %q", v, old, by, got)
		}
		d.e.act = editOnce
		if got := d.e.replace(x, v); got != strings.Replace(v, old, by, 1) {
			t.Fatalf("%q %q %q once: %q", v, old, by, got)
		}
	})
}
