package exchange

import "balancerd/proxy/internal/sys"

// Spliceable is a Source whose bytes the system can move to the client's socket without their being seen here.
type Spliceable interface {
	// Spliceable reports whether that can be done now: nothing is Buffered, and the bytes stand on a plain socket
	// or in a file as the client gets them.
	Spliceable() bool
	// Fill waits for bytes of the body and moves up to n of them into a pipe. The error is as Read's.
	Fill(p *sys.Pipe, n int) (int, error)
	// Spliced takes n bytes of Fill as read: they are with the client.
	Spliced(n int)
}
