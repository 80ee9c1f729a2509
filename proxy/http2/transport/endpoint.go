package transport

import (
	"io"
	"time"

	"balancerd/proxy/http2/frames"
	"balancerd/proxy/internal/loop"
)

// Endpoint is our end of a connection: what is received and sent. A transport calls its methods; by is the task of an
// event loop that does, nil an ordinary goroutine. None of them waits.
type Endpoint interface {
	// Hello sends what goes first.
	Hello(by *loop.Task)
	// Receive reads once from the other side, and takes in what has come.
	Receive(by *loop.Task, from io.Reader) (n int, err error)
	// Release gives memory for what is received back, if nothing is there.
	Release()
	// Holds reports whether Receive has memory already, or needs none: nothing is listened to.
	Holds() bool
	// Take takes what is to be sent; Wrote gives it back.
	Take(by *loop.Task) frames.Output
	Wrote(frames.Output)
	// Large reports whether so much is to be sent that it should be, before more is read.
	Large() bool
	// HandleTimeouts does what is due.
	HandleTimeouts(by *loop.Task, now time.Time)
	// Due is after how long HandleTimeouts may have something to do.
	Due(now time.Time) time.Duration
	// Timeout is how long the other side may take nothing.
	Timeout() time.Duration
	// Lost tells that the other side is gone.
	Lost(by *loop.Task)
	// Gone reports whether nothing is read or written any more: it is lost, or to be cut off.
	Gone() bool
	// Last reports whether all was taken that will ever be sent.
	Last() bool
	// Over reports whether it is gone, and nobody uses it any more.
	Over() bool
	// Panicked tells of a panic in one of these.
	Panicked(p any)
}

// Transport is how an Endpoint calls for who serves it.
type Transport interface {
	// Kick has what is to be sent be written soon, and the endpoint's state be looked at.
	Kick(by *loop.Task)
}

const lingerTime = time.Second // for the other side's end, after ours
