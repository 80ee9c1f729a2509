package cache

import (
	"testing"
	"time"
)

// What httpd 2.4.71 did with an answer of that age, as tried with Age fields.
func TestFreshness(t *testing.T) {
	for _, c := range []struct {
		answer  string
		age     int64
		request string
		warn    int
		fresh   bool
	}{
		{"max-age=60", 0, "", 0, true},
		{"max-age=60", 50, "max-age=10", 0, false},
		{"max-age=60", 50, "max-age=55", 0, true},
		{"max-age=60", 50, "min-fresh=20", 0, false},
		{"max-age=60", 50, "min-fresh=5", 0, true},
		{"max-age=60", 100, "", 0, false},
		{"max-age=60", 100, "max-stale", 110, true},
		{"max-age=60", 100, "max-stale=5", 0, false},
		{"max-age=60", 100, "max-stale=1000", 110, true},
		{"max-age=60", 50, "max-age=30, max-stale=100", 0, true},
		{"max-age=60, must-revalidate", 100, "max-stale", 0, false},
		{"s-maxage=60", 100, "max-stale", 0, false},
		{"s-maxage=60, max-age=0", 10, "", 0, true},
		{"no-cache", 0, "", 0, false},
		{"max-age=60", 0, "no-cache", 0, false},
		{"", 10, "", 0, true},
		{"max-age=9223372036854775807", 100, "max-stale=9223372036854775807", 0, true},
		{"max-age=-1", 0, "", 0, false},
	} {
		e := entry("k", c.answer)
		asked := Parse(c.request, "")
		if warn, fresh := e.Fresh(&asked, false, e.Date.Add(time.Duration(c.age)*time.Second)); warn != c.warn || fresh != c.fresh {
			t.Errorf("%q, %d s old, for %q: %v %d, want %v %d", c.answer, c.age, c.request, fresh, warn, c.fresh, c.warn)
		}
	}
	asked := Parse("no-cache, max-age=0", "")
	if _, fresh := entry("k", "max-age=60").Fresh(&asked, true, time.Now()); !fresh {
		t.Error("CacheIgnoreCacheControl")
	}
	e := entry("k", "", "Last-Modified: Mon, 01 Jan 2001 00:00:00 GMT")
	asked = Parse("", "")
	e.Date, e.Requested, e.Received = e.Date.Add(-25*time.Hour), e.Date.Add(-25*time.Hour), e.Date.Add(-25*time.Hour)
	e.Expires = e.Date.Add(48 * time.Hour)
	if warn, fresh := e.Fresh(&asked, false, time.Now()); !fresh || warn != 113 {
		t.Error(warn, fresh)
	}
}

func TestAges(t *testing.T) {
	e := entry("k", "max-age=60", "Age: 7")
	e.Received = e.Date.Add(3 * time.Second)
	e.Requested = e.Date.Add(2 * time.Second)
	if got := e.Age(e.Date.Add(10 * time.Second)); got != 7+1+7 { // as told, on the way, here
		t.Error(got)
	}
	e.Header.Set("Age", "1")
	if got := e.Age(e.Date.Add(10 * time.Second)); got != 3+1+7 { // by its Date
		t.Error(got)
	}
	e.Header.Set("Age", "99999999999999999999")
	if got := e.Age(e.Date); got < 0 {
		t.Error(got)
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	l := Lifetimes{Default: time.Hour, Min: time.Minute, Max: 24 * time.Hour, Factor: 0.1}
	for _, c := range []struct {
		control, expires, modified string
		want                       time.Duration
	}{
		{"max-age=120", "", "", 2 * time.Minute},
		{"max-age=1", "", "", time.Minute},
		{"s-maxage=300, max-age=9", "", "", 5 * time.Minute},
		{"", "Fri, 02 Jan 2026 05:00:00 GMT", "", 5 * time.Hour},
		{"", "junk", "Thu, 01 Jan 2026 14:00:00 GMT", time.Hour},
		{"", "", "Thu, 01 Jan 2015 00:00:00 GMT", 24 * time.Hour},
		{"", "", "Fri, 02 Jan 2026 00:00:00 GMT", time.Hour},
		{"", "", "", time.Hour},
		{"max-age=99999999999999", "", "", 24 * time.Hour},
	} {
		control := Parse(c.control, "")
		if got := l.Expiry(&control, now, c.expires, c.modified).Sub(now); got != c.want {
			t.Errorf("%q %q %q: %v, want %v", c.control, c.expires, c.modified, got, c.want)
		}
	}
}
