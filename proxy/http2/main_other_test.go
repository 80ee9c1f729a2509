//go:build !linux

package http2

import "testing"

// listenInLoops is never called here: there are no event loops.
func (f *front) listenInLoops(t testing.TB) (addr string, connections func() int) { return f.listen(t) }
