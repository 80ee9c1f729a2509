package backend

import (
	"errors"
)

// Codec is what a member protocol knows when a connection carries one request at a time: bytes out, bytes in. It
// never reads or writes itself, and never waits: Serial does that for all of them, with the pool, the timeouts, the
// client's body, and what follows a failure. One value serves one attempt after the other, between Begin and End.
//
// HTTP/1.1 (proxy/http1/client) is one. Of the others:
//
//	AJP       AppendHead: one packet; Unasked: OnePiece, or Nothing for a chunked body; AppendPiece: a packet of
//	          PieceSize bytes; ParseHead and Decode give WantsBody, ErrWantsBody for "06"; Coded; a Pinger
//	FastCGI   AppendHead: BEGIN and PARAMS records; AppendPiece: a STDIN record, AppendEnd: an empty one; ParseHead
//	          gathers the head out of STDOUT records in memory of its own, and logs STDERR; Coded
//	SCGI      AppendHead: a netstring with the body's length, so that Serial is made with LengthFirst; ToEnd
//	uwsgi     the same; Counted or ToEnd
type Codec interface {
	// Begin readies it for an attempt. The client's body is known by then as far as it is kept.
	Begin(*SerialStream)
	// End forgets the attempt. Texts that it made for the exchange may be used until then.
	End()

	// AppendHead appends all that goes out before the body. The error is a Status: the request can't be written.
	AppendHead(dst []byte) ([]byte, error)
	// Unasked is how much of the body may follow the head before the member said anything.
	Unasked() Credit
	// PieceSize is how many bytes of the body fit into one piece; 0: any number.
	PieceSize() int
	// AppendPiece appends what goes before n bytes of the body, AppendPieceEnd what goes behind them, AppendEnd what
	// ends the body.
	AppendPiece(dst []byte, n int) []byte
	AppendPieceEnd(dst []byte) []byte
	AppendEnd(dst []byte) []byte

	// ParseHead reads what a member says before its response's body. in is all that was received and not used yet;
	// its bytes stay where they are until the exchange ends once FinalResponse was returned, else until the next call.
	// ErrIncomplete: more is needed, and in comes again without what was used, and with more behind it. Any other error
	// is a *Failure.
	ParseHead(in []byte) (used int, event Event, err error)
	// Begun reports whether in, which ParseHead found incomplete, is the beginning of a head: an end is a broken
	// head then (BadHead), and no response at all without it (EarlyClose).
	Begun(in []byte) bool
	// Interim is the head of the last InterimResponse; x.Res.Header may hold its fields.
	Interim() InterimHead
	// Accept makes the final head x.Res's, without the Body, and says where the body ends. The error is a *Failure.
	Accept() (Framing, error)
	// Decode decodes a part of a Coded body in place: the first n bytes of p are the body's then, used were looked
	// at. io.EOF: the answer ended with them. ErrEnding: the body did, and the member has still to say that the answer
	// has. ErrWantsBody: the member asks for more of the request's body first.
	Decode(p []byte) (n, used int, err error)
	// Broken is told, for the log, that the body ended with an error.
	Broken(error)

	// Reuse is why the connection can carry no other request, as far as the protocol knows: Reusable for none.
	Reuse() Reason
	// Counted is what of an attempt's bytes counts as the member's traffic, sent and read, as httpd's module does.
	Counted(Traffic) (sent, read int64)
}

// Pinger is a Codec that can ask a member before the request whether it is alive: ping= (AJP's CPING). The
// connection is new or was kept; one that does not answer is dropped, and another one tried.
type Pinger interface {
	AppendPing(dst []byte) []byte
	// ParsePong reads the answer. Errors are as ParseHead's, but for an error of any other kind than ErrIncomplete:
	// that is no answer.
	ParsePong(in []byte) (used int, err error)
	// NoPong is told, for the log, that there was no answer, and why.
	NoPong(error)
}

// Ending is a Codec with ErrEnding.
type Ending interface {
	// Whole reports, when the connection has ended without ending the answer, whether the body was whole by then. It
	// logs what is to be said of that.
	Whole() bool
}

// Listener is a Codec that has words of its own for a connection that ended, or went silent, before a head was whole.
type Listener interface {
	// Silent is told what was received and not used, and why nothing follows. What it returns is the failure's cause.
	Silent(in []byte, err error) error
}

// Offerer is a Codec with Unasked Offered.
type Offerer interface {
	// StillWaits reports whether a member that answered before it said 100 waits for the body all the same, since it
	// keeps the connection.
	StillWaits() bool
}

// ErrIncomplete says that more bytes are needed.
var ErrIncomplete = errors.New("backend: more bytes are needed")

// ErrWantsBody is Decode's: the member asks for more of the request's body.
var ErrWantsBody = errors.New("backend: the member asks for the request's body")

// ErrEnding is Decode's: the body is whole, the answer is not over.
var ErrEnding = errors.New("backend: the answer's end is still to come")

// Credit is how much of a request's body a member takes without having said anything.
type Credit uint8

// The credits.
const (
	All      Credit = iota // the body follows the head
	OnePiece               // one piece follows the head, then one for each WantsBody
	Nothing                // one piece for each WantsBody
	Offered                // nothing until a 100, then all of it (Expect: 100-continue); ping= bounds that wait
)

// Framing is where a response's body ends.
type Framing struct {
	Body   BodyKind
	Length int64 // Counted: the body's; others: what the head says, -1 for nothing
	Sized  bool  // ToEnd: an answer whose end comes with it has a length
}

// BodyKind is a way to tell where a body ends.
type BodyKind uint8

// The kinds of bodies.
const (
	NoBody     BodyKind = iota
	Counted             // Length bytes
	Coded               // Decode tells; with a Length the response says it, and Decode holds to it
	Dropped             // the same, and none of it is the response's: of HEAD, 204, 304
	ToEnd               // the connection's end is the body's
	TunnelKind          // none: the connection is a tunnel from here on
)

// Traffic is the bytes of an attempt.
type Traffic struct {
	Sent, SentBody         int64 // with and without heads and framing
	Received, ReceivedBody int64
}
