package backend

import "io"

// Reason is why a connection carries no other request after an attempt.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	Reusable       Reason = iota // none: it is kept
	Failed                       // the attempt brought no response
	BodyUnread                   // the response's body was given up
	BodyBroken                   // it ended too early, or was malformed
	EndIsBodysEnd                // the connection's end is the body's
	RequestCut                   // not all of the request's body was sent
	BytesBehind                  // something came behind the response
	BodyUnwanted                 // nobody was to read the body (ProxyErrorOverride)
	AskedToClose                 // we asked the member to end it
	MemberCloses                 // the member says that it ends it
	TwoFramings                  // the head has Content-Length and Transfer-Encoding: what follows may be forged (RFC 9112 section 6.3)
	BadHeadSkipped               // a head that was none was taken for the body
	OldProtocol                  // HTTP/1.0 on either side
	Upgrades                     // another protocol was asked for, or spoken
	ClientGone                   // the client went away meanwhile
	NotKept                      // disablereuse=, or an address that is not the worker's own
)

var reasons = [...]string{
	Reusable: "", Failed: "attempt failed", BodyUnread: "body given up", BodyBroken: "body broken", EndIsBodysEnd: "body ends with the connection",
	RequestCut: "request not sent whole", BytesBehind: "bytes behind the response", BodyUnwanted: "body unwanted", AskedToClose: "asked to close",
	MemberCloses: "member closes", TwoFramings: "two framings", BadHeadSkipped: "bad head", OldProtocol: "HTTP/1.0", Upgrades: "upgrade",
	ClientGone: "client gone", NotKept: "not kept",
}

// String is the reason as a trace shows it; "" for Reusable.
func (r Reason) String() string { return reasons[r] }

// reuse is why the connection carries no other request once the body has ended: what the protocol does not
// know of comes first (RFC 9112 section 9.3).
func (s *SerialStream) reuse() Reason {
	switch {
	case s.err != io.EOF:
		return BodyBroken
	case s.framing.Body == ToEnd:
		return EndIsBodysEnd
	case s.cut:
		return RequestCut
	case s.r != s.w || s.extra:
		return BytesBehind
	case s.X.Out.Close, s.X.Out.Alone:
		return AskedToClose
	case s.Call.GivesUp != nil && s.Call.GivesUp(s.X.Res.Status):
		return BodyUnwanted
	}
	return s.codec.Reuse()
}
