package ssl

import (
	"strings"
	"testing"
	"time"

	"balancerd/proxy/recovery"
	"balancerd/proxy/exchange"
)

// A question to a responder that panics is answered: by nothing to be shown, for as long as a failure holds.
func TestPanicWhileAskingAResponder(t *testing.T) {
	before := recovery.Panics()
	logged := make(chan string, 2)
	s := &staple{badLife: time.Hour, log: func(l exchange.Level, m string) { logged <- m }} // nobody to be asked about
	for range 2 {
		if c := s.certificate(true); c != &s.cert {
			t.Errorf("shown: %+v", c)
		}
	}
	if n := recovery.Panics() - before; n != 1 || s.busy != nil {
		t.Errorf("%d panics, busy %v", n, s.busy != nil)
	}
	if m := <-logged; !strings.HasPrefix(m, "AH00052: panic: ") || !strings.Contains(m, " while asking an OCSP responder\n") {
		t.Errorf("logged %q", m)
	}
}
