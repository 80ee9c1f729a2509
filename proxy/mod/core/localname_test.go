package core

import (
	"net/netip"
	"testing"

	"balancerd/proxy/exchange"
)

// An address without a name stands for itself; an end without an address has none.
func TestLocalNames(t *testing.T) {
	x := &exchange.Exchange{Conn: &exchange.Conn{}}
	if got := localName(x); got != "" {
		t.Errorf("no address: %q", got)
	}
	x.Conn.Local = netip.MustParseAddrPort("127.0.0.1:80")
	if got := localName(x); got == "" {
		t.Error("no name, and no address either")
	}
}
