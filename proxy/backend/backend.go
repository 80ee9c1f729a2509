package backend

import (
	"context"
	"fmt"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
)

// Backend carries one exchange to a worker and brings the answer's head back: x.Out goes out, x.Res
// comes back with its Body (or Tunnel) still to be pulled. The error is a *Failure. It does not ask
// whether the worker is usable (balancer.Worker.Retry, AH00940): that is the caller's part.
type Backend interface {
	RoundTrip(ctx context.Context, w *balancer.Worker, x *exchange.Exchange, call *Call) error
}

// Kind says at which point an attempt failed: the table of proxy/upstream/outcome.go turns it into a status,
// lines of the log, and whether the member is to blame and another one may be tried.
type Kind uint8

// The points of failure, in the order of an exchange.
const (
	Exhausted      Kind = iota + 1 // no connection free within acquire= (AH00941 was logged)
	Starved                        // no descriptor, port or memory of our own to connect with (AH00957 was logged)
	NoName                         // the host name does not resolve
	NoRemote                       // nor does that of the proxy on the way; Host is the proxy's
	Refused                        // no address accepted the connection (AH00957 was logged for each)
	NoTLS                          // https member without SSLProxyEngine (AH01961)
	Handshake                      // TLS handshake failed
	BadScheme                      // no codec for the scheme
	ClientBody                     // the client's body could not be read; Err is an *exchange.BodyError
	WriteHead                      // writing the request failed before any body byte
	WriteBody                      // writing the body failed; Timeout tells which way
	NoContinue                     // ping= or Expect: no interim answer in time
	EarlyClose                     // closed or reset before a status line
	ReadTimeout                    // no status line in time
	BadStatusLine                  // Detail is the line
	BadHead                        // a malformed header line, or a head that ended early (Err is io.ErrUnexpectedEOF or so); Detail TooLong
	BadFraming                     // two lengths, unknown coding … (RFC 9112 section 6.3)
	TooManyInterim                 // ten 1xx answers
	WrongUpgrade                   // Detail is "X (expecting Y)"
	NotTaken                       // the member said that it did not touch the request (RFC 9113 sections 6.8, 8.7): it is not ill
	Kinds                          // none: their number
)

// TooLong is the Detail of a BadHead whose line is longer than responsefieldsize= (AH10124).
const TooLong = "too long"

// Failure is an attempt that brought no answer.
type Failure struct {
	Kind    Kind
	Err     error  // the cause, for the errno part of the log line; may be nil
	Host    string // the member's host name
	Port    uint16
	Detail  string
	Timeout bool // a write or read ran into the worker's timeout
	Reused  bool // the connection came from the pool
	Sent    bool // body bytes were taken from the client and can't be sent again
	Partial bool // of WriteBody and EarlyClose: not all of the client's body was here when the member ended
}

func (f *Failure) Error() string {
	return fmt.Sprintf("backend %s:%d: failure %v: %v %s", f.Host, f.Port, f.Kind, f.Err, f.Detail)
}

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }
