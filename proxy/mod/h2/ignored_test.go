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

		"H2PushPriority * Before x":        "dependency 'Before' does not allow a weight",
		"H2PushPriority * beforex":         "dependency must be one of 'After', 'Before' or 'Interleaved'",
		"H2PushPriority * AFTER 5x":        "",
		"H2PushPriority * after x":         "weight must be a number >= 1",
		"H2PushPriority * interleaved 0":   "weight must be a number >= 1",
		"H2PushPriority * interleaved 257": "",
		"H2PushDiarySize -4":               "value must be >= 0",
		"H2PushDiarySize 12x":              "value must a power of 2",
		"H2PushDiarySize 65537":            "value must a power of 2",
		"H2PushDiarySize 65536":            "value must <= 65536",
		"H2PushDiarySize 32768":            "",
		"H2PushDiarySize x":                "",
		"H2MaxWorkerIdleSeconds 5q":        "Invalid idle limit value",
		"H2MaxWorkerIdleSeconds -1":        "Invalid idle limit value",
		"H2MaxWorkerIdleSeconds 5ms":       "",
		"H2ProxyRequests x":                "value must be On or Off",
		"H2ProxyRequests off":              "",
		"H2WindowSize 2147483648":          "value must be >= 1024",
		"H2WindowSize 2147483647":          "",
		"H2WindowSize 4294969344":          "",
		"H2MaxSessionStreams 2147483648":   "value must be > 0",
		"H2MaxDataFrameLen 2147483648":     "value must be 0 or larger",
	} {
		if got := sitetest.Refused("http2", conf, core.Module(), Module()); got != want {
			t.Errorf("%s: %s, want %s", conf, got, want)
		}
	}
}
