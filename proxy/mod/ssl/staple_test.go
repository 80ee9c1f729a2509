package ssl

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// oracle is a responder that says "good" of everything, slow if it shall be.
type oracle struct {
	*httptest.Server
	asked atomic.Int32
	slow  atomic.Int64 // nanoseconds
}

func newOracle(t *testing.T, a *authority) *oracle {
	o := &oracle{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked.Add(1)
		time.Sleep(time.Duration(o.slow.Load()))
		b, _ := io.ReadAll(r.Body)
		q, err := ocsp.ParseRequest(b)
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		der, err := ocsp.CreateResponse(a.cert, a.cert, ocsp.Response{Status: ocsp.Good, SerialNumber: q.SerialNumber, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}, a.key)
		if err != nil {
			t.Error(err)
		}
		w.Write(der)
	}))
	t.Cleanup(o.Close)
	return o
}

func (r *rig) stapled(cfg *tls.Config) string {
	c, err := tls.Dial("tcp", r.addr, cfg)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	der := c.ConnectionState().OCSPResponse
	if der == nil {
		return "nothing"
	}
	a, err := ocsp.ParseResponse(der, nil)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(a.Status)
}

func TestStaplesAreRenewedInTheBackground(t *testing.T) {
	a := newAuthority(t, "CA")
	a.leaf("site", every)
	o := newOracle(t, a)
	o.slow.Store(int64(100 * time.Millisecond))
	r := newRig(t, a, engine+"SSLCACertificateFile DIR/CA.pem\nSSLUseStapling On\nSSLStaplingCache shmcb:x(9000)\nSSLStaplingStandardCacheTimeout 1\nSSLStaplingErrorCacheTimeout 1\nSSLStaplingForceURL "+o.URL+"\n")
	cfg := a.client("first.example")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := r.stapled(cfg); got != "0" {
				t.Error("first: ", got)
			}
		})
	}
	wg.Wait()
	if n := o.asked.Load(); n != 1 {
		t.Errorf("the responder was asked %d times for one answer", n)
	}
	time.Sleep(1100 * time.Millisecond)
	began := time.Now()
	if got := r.stapled(cfg); got != "0" || time.Since(began) > 90*time.Millisecond {
		t.Errorf("while it is renewed: %s after %v", got, time.Since(began))
	}
	for end := time.Now().Add(10 * time.Second); o.asked.Load() < 2 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	if n := o.asked.Load(); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	o.Close()
	time.Sleep(1100 * time.Millisecond)
	for range 2 { // the response still holds though nobody renews it
		if got := r.stapled(cfg); got != "0" {
			t.Error("without responder: ", got)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestResponderThatHangs(t *testing.T) {
	a := newAuthority(t, "CA")
	a.leaf("site", every)
	o := newOracle(t, a)
	o.slow.Store(int64(3 * time.Second))
	r := newRig(t, a, engine+"SSLCACertificateFile DIR/CA.pem\nSSLUseStapling On\nSSLStaplingCache shmcb:x(9000)\nSSLStaplingResponderTimeout 1\nSSLStaplingForceURL "+o.URL+"\n")
	began := time.Now()
	want := ocsp.ResponseError{Status: ocsp.TryLater}.Error()
	for range 2 {
		if got := r.stapled(a.client("first.example")); got != want || time.Since(began) > 2*time.Second {
			t.Errorf("%q after %v, want %q", got, time.Since(began), want)
		}
	}
}
