package h2

import (
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/site/sitetest"
)

// What has no effect is checked all the same, with httpd's words.
func TestIgnoredIsChecked(t *testing.T) {
	for conf, want := range map[string]string{
		"H2StreamMaxMemSize 1023": "value must be >= 1024",
		"H2StreamMaxMemSize 1024": "",
		"H2Padding -1":            "number of bits must be >= 0",
		"H2Padding 9":             "number of bits must be <= 8",
		"H2Padding 8":             "",
		"H2Push x":                "value must be On or Off",
		"H2WebSockets ON":         "",
		"H2PushPriority * x":      "dependency must be one of 'After', 'Before' or 'Interleaved'",
		"H2PushPriority * before": "",
	} {
		if got := sitetest.Refused("http2", conf, core.Module(), Module()); got != want {
			t.Errorf("%s: %s, want %s", conf, got, want)
		}
	}
}
