package backend

import (
	"errors"
	"io"
	"net/netip"
	"strconv"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// kindNames are the Kinds as traces and metrics name them.
var kindNames = [Kinds]string{
	Exhausted: "Exhausted", Starved: "Starved", NoName: "NoName", NoRemote: "NoRemote", Refused: "Refused", NoTLS: "NoTLS", Handshake: "Handshake", BadScheme: "BadScheme",
	ClientBody: "ClientBody", WriteHead: "WriteHead", WriteBody: "WriteBody", NoContinue: "NoContinue", EarlyClose: "EarlyClose",
	ReadTimeout: "ReadTimeout", BadStatusLine: "BadStatusLine", BadHead: "BadHead", BadFraming: "BadFraming", TooManyInterim: "TooManyInterim",
	WrongUpgrade: "WrongUpgrade", NotTaken: "NotTaken",
}

// String is the point of failure as a trace names it.
func (k Kind) String() string {
	if k < Kinds && kindNames[k] != "" {
		return kindNames[k]
	}
	return strconv.Itoa(int(k))
}

// tellFailed tells the observer of an attempt that found no connection.
func tellFailed(w *balancer.Worker, x *exchange.Exchange, began time.Time, err error) {
	if o := x.Observer; o != nil {
		o.Observe(x, exchange.Attempted{Member: w.Name(), Connect: -1, Header: -1, Total: time.Since(began), Failure: failureName(err), Err: err})
	}
}

func failureName(err error) string {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind.String()
	}
	return ""
}

// Tell tells the observer, once, that the attempt is over. e has what the stream knows; Member, Header, Total, Reused
// and Failure are filled here.
func (a *Attempt) Tell(e exchange.Attempted) {
	if a.told || a.X == nil || a.X.Observer == nil {
		return
	}
	a.told = true
	if e.Err == io.EOF { // how a body ends
		e.Err = nil
	}
	e.Member, e.Reused, e.Header = a.Worker.Name(), a.Reused, a.header
	e.Failure = failureName(e.Err)
	if !a.began.IsZero() {
		e.Total = time.Since(a.began)
	}
	a.X.Observer.Observe(a.X, e)
}

// tellOver is Tell of a stream whose connection is about to be given back.
func (s *SerialStream) tellOver(why Reason, err error) {
	if s.X.Observer == nil {
		return
	}
	c := s.conn
	s.Tell(exchange.Attempted{Address: c.Address(), Connect: c.Connecting(), Sent: c.Sent(), Got: s.received, Status: s.status, Ended: why.String(), Err: err})
}

// Connecting is how long it took to make the connection, for this attempt; -1 when it was there.
func (c *Conn) Connecting() time.Duration {
	if c.reused {
		return -1
	}
	return c.took
}

// Address is where the connection leads: "ip:port", or a socket's path.
func (c *Conn) Address() string {
	if !c.addr.IsValid() {
		return c.to.socket
	}
	return netip.AddrPortFrom(c.addr, c.to.port).String()
}
