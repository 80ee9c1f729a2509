package core_test

import (
	"testing"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/site/sitetest"
)

// What has no effect is checked all the same, with httpd's words.
func TestIgnoredIsChecked(t *testing.T) {
	for conf, want := range map[string]string{
		"FlushMaxThreshold -1":     "parameter must be a number between 0 and (4294967295U)): -1",
		"FlushMaxPipelined -2":     "parameter must be a number between -1 and (2147483647): -2",
		"FlushMaxPipelined -1":     "",
		"RegexDefaultOptions +foo": "RegexDefaultOptions: option 'foo' unknown",
		"Mutex none:x":             "None is not allowed for mutex type default",
		"Mutex file:/nope":         "Invalid Mutex directory in argument file:/nope",
		"Mutex file:/tmp default":  "",
		"Mutex default x":          "Mutex type x is not valid",
		"Mutex sem rewrite-map":    "",
		"LimitXMLRequestBody 0":    "",
		"<VirtualHost *:80>\nSeeRequestTail on\n</VirtualHost>": "SeeRequestTail cannot occur within <VirtualHost> section",
	} {
		if got := sitetest.Refused("", conf, core.Module()); got != want {
			t.Errorf("%s: %s, want %s", conf, got, want)
		}
	}
}

// To ignore these would open something.
func TestIgnoredThatCloses(t *testing.T) {
	for conf, want := range map[string]bool{"RegexDefaultOptions +ICASE": true, "LimitXMLRequestBody 1000": true, "LimitXMLRequestBody 0": false, "RLimitCPU 1": false} {
		c, err := sitetest.Bind("", conf, core.Module())
		refused := false
		for _, h := range c.Hints {
			refused = refused || h.Refuse
		}
		if err != nil || refused != want {
			t.Errorf("%s: %v %v", conf, err, refused)
		}
	}
}
