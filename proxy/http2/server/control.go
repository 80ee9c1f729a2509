package server

import (
	"net/http"
	"sync"
	"time"
)

// control ends the reads and writes of one stream from timers and other goroutines. Those may be late:
// once the stream's handler has returned x/net's response writer is gone, and nothing happens any more.
// It belongs to that one stream, and is never used for another.
type control struct {
	mu  sync.Mutex
	ctl *http.ResponseController // under mu; nil: the stream is over
}

func newControl(w http.ResponseWriter) *control {
	return &control{ctl: http.NewResponseController(w)}
}

// end waits for who is at it; the stream is over.
func (c *control) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctl = nil
}

// longAgo as a deadline ends a wait at once.
var longAgo = time.Unix(1, 0)

// endReads has the read under way fail, and all that follow.
func (c *control) endReads() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctl != nil {
		c.ctl.SetReadDeadline(longAgo)
	}
}

// endWrites does it with writes.
func (c *control) endWrites() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctl != nil {
		c.ctl.SetWriteDeadline(longAgo)
	}
}
