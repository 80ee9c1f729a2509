package reqtimeout

import (
	"strings"
	"testing"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

func modules() []site.Module { return []site.Module{core.Module(), Module()} }

func TestRequestReadTimeout(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		preload, conf string
		header, body  exchange.ReadLimit
	}{
		{"", "", exchange.ReadLimit{}, exchange.ReadLimit{}},
		{"reqtimeout", "", exchange.ReadLimit{Timeout: 20 * s, Max: 40 * s, Rate: 500}, exchange.ReadLimit{Timeout: 20 * s, Rate: 500}},
		{"reqtimeout", "RequestReadTimeout header=5 BODY=7,MinRate=100", exchange.ReadLimit{Timeout: 5 * s}, exchange.ReadLimit{Timeout: 7 * s, Rate: 100}},
		{"reqtimeout", "RequestReadTimeout header=5-9,MinRate=1 handshake=3", exchange.ReadLimit{Timeout: 5 * s, Max: 9 * s, Rate: 1}, exchange.ReadLimit{Timeout: 20 * s, Rate: 500}},
	} {
		r := sitetest.New(t, c.preload, c.conf+"\n<VirtualHost *:80>\nServerName other\n</VirtualHost>\n", modules()...)
		for _, h := range r.Site.Hosts {
			if h.Server.HeaderRead != c.header || h.Server.BodyRead != c.body {
				t.Errorf("%s: %+v %+v", c.conf, h.Server.HeaderRead, h.Server.BodyRead)
			}
			if got, want := h.Server.HandshakeRead, strings.Contains(c.conf, "handshake=3"); want != (got == exchange.ReadLimit{Timeout: 3 * s}) || !want && got != (exchange.ReadLimit{}) {
				t.Errorf("%s: handshake %+v", c.conf, got)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for words, want := range map[string]string{
		"tail=5":               "Unknown RequestReadTimeout parameter",
		"header=x":             "Value 'x' not numerical",
		"header=5-x,MinRate=1": "Value 'x' not numerical",
		"header=5-9":           "Must set MinRate option if using timeout range",
		"header=9-5,MinRate=1": "Maximum timeout must be larger than initial timeout",
		"body=5,Rate=1":        "Cannot parse ',Rate=1'",
		"body=5,MinRate":       "Cannot parse ',MinRate'",
		"body=5,MinRate=5x":    "Cannot parse 'x'",
		"body=5,MinRate=-1":    "Value must be non-negative",
		"body=5x":              "Cannot parse 'x'",
		"body=-1":              "Must set MinRate option if using timeout range",
		"body=5-":              "Must set MinRate option if using timeout range",
		"body=x-5":             "Must set MinRate option if using timeout range",
		"body=5-,MinRate=5":    "Value '' not numerical",
		"body=5-6-7,MinRate=1": "Cannot parse '-7'",
		"body=5-6,minrate=1":   "",
		"body=+5":              "",
		"body=5,MinRate=x":     "Value 'x' not numerical",
		"body=5,MinRate=0":     "Minimum data rate must be larger than 0",
	} {
		if want != "" {
			want = "RequestReadTimeout: " + words + ": " + want
		}
		if got := sitetest.Refused("reqtimeout", "RequestReadTimeout "+words, modules()...); got != want {
			t.Errorf("%s: %s", words, got)
		}
	}
	if got := sitetest.Refused("reqtimeout", "RequestReadTimeout body=ȺȺȺ,MinRate=5", modules()...); !strings.HasSuffix(got, "not numerical") { // longer in small letters
		t.Error(got)
	}
	if got := sitetest.Refused("reqtimeout", "RequestReadTimeout header=5 body", modules()...); got != "Invalid RequestReadTimeout parameter. Parameter must be in the form 'key=value'" {
		t.Error(got)
	}
}
