package compress

import (
	"testing"

	"balancerd/proxy/exchange"
)

// TestAcceptable: what httpd 2.4.71 packed for.
func TestAcceptable(t *testing.T) {
	for list, want := range map[string]bool{
		"gzip": true, "GZIP": true, "x-gzip": false, "deflate": false, "*": false, "br, gzip": true, "br;q=1.0, gzip;q=0.5, *;q=0": true,
		"gzip;q=0": false, "gzip;q=0.0": false, "gzip;q=0.000": false, "gzip;q=0.0001": true, "gzip;q=0.001": true, "gzip; q=0": false, "gzip ;q=0": false, "gzip;q=": true,
		"identity": false, "": false, "gzipped": false, "deflate;q=0,gzip": true, ", gzip": false, "gzip;x=1;q=0": true, "br;q=\"a,gzip\", gzip": true, "br gzip": true, "gzip,": true,
		"gzip;q=0,br": false, "br;level=1;q=0.3 , gzip": true, "gzip;Q=0": true,
	} {
		if got := acceptable(list, "gzip"); got != want {
			t.Errorf("%q: %v", list, got)
		}
	}
}

func TestCoded(t *testing.T) {
	for list, want := range map[string]bool{"": false, "identity": false, "Identity": true, "7bit, 8bit,binary": false, "identity, gzip": true, "br": true, ",gzip": false, "identity;q=1, gzip": true} {
		if got := coded(list); got != want {
			t.Errorf("%q: %v", list, got)
		}
	}
}

func TestTakeGzip(t *testing.T) {
	for list, want := range map[string]string{
		"gzip": "", "x-gzip": "", "GZIP": "", "br": "br!", "aes, gzip": "aes", "gzip, identity": "", "gzip, br": "gzip, br!", "aes,gzip, identity,": "aes", "identity": "identity!", "gzip, ": "",
	} {
		var h exchange.Header
		h.Set("Content-Encoding", list)
		took := takeGzip(&h)
		got := h.Get("Content-Encoding")
		if !took {
			got += "!"
		}
		if got != want || h.Has("Content-Encoding") != (want != "") {
			t.Errorf("%q: %q", list, got)
		}
	}
}
