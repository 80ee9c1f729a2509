package exchange

import (
	"context"

	"balancerd/proxy/internal/loop"
)

// What a Body, a Source or a Stream may be able to do beyond its interface. Whoever makes use of one asks for
// it by a type assertion and can do without: no package has to know which type of which other one it got.

// Ready is a Body that knows whether more of it can be read without waiting.
type Ready interface {
	// Ready reports whether the next bytes, beyond what Buffered gives, have come in.
	Ready() bool
}

// Announcer is a Body that can tell that more of it has come, so that who reads it need not wait for it alone.
type Announcer interface {
	// Announce has e be set, from now on, whenever more of it has come, or its end; nil: no more.
	Announce(e *loop.Event)
}

// Complete is a Body that knows whether the client still has to send some of it.
type Complete interface {
	// Complete reports whether no more of it will come in: what Buffered gives is the rest of it. err is what
	// the client did wrong, which ends a body, too.
	Complete() (done bool, err error)
}

// Gatherer is a Source that can take in what has arrived.
type Gatherer interface {
	// Gather makes what has come in since the last call Buffered's, without waiting; perhaps that is nothing.
	// It is to be called when Buffered is empty. The error is how the body ended: io.EOF, or what went wrong.
	Gather() error
}

// Preread is a Stream some of whose bytes were read already: they come first out of Read.
type Preread interface {
	// TakePreread takes these bytes; Read goes on with the socket's then.
	TakePreread() []byte
}

// Cuttable is a Stream that others may cut off.
type Cuttable interface {
	// WhenCut has f called then, by any goroutine; nil: nobody is to be called any more.
	WhenCut(f func())
}

// LoopTunnel is a Tunnel that the event loop which serves the client can serve, too.
type LoopTunnel interface {
	Tunnel
	// JoinsInLoop reports whether it will: then Join wants a stream that is a socket of that loop's (package tunnel:
	// Looped), and else one that no event loop serves.
	JoinsInLoop() bool
}

// Uploader is what StateUpload holds when the request's body may go on to the member while the answer is sent.
type Uploader interface {
	// ReadsOn reports whether it may be read still: nobody else is to read it then, not even once the answer is there.
	ReadsOn() bool
}

// Aborter is what can be ended while somebody else is at it.
type Aborter interface{ Abort() }

// Abortable is a context of an exchange whose client may go away under it, as one of HTTP/2's streams does: who must be
// told of that at once costs no goroutine.
type Abortable interface {
	context.Context
	// Watch has a.Abort called once the client is gone: now, if it is already.
	Watch(a Aborter)
	// Unwatch ends that, and reports whether Abort was not called; it is not any more then.
	Unwatch(a Aborter) (untouched bool)
}
