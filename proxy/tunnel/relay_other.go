//go:build !linux

package tunnel

// sockets is empty here.
type sockets struct{}

func (r *relay) open() {}

func (r *relay) interruptWrites() {}

func (r *relay) cut() bool { return false }

func (r *relay) closeWrite() error { return r.to.CloseWrite() }

func (r *relay) relaySome() (ended bool, err error) { return r.readNet() }

func (r *relay) write(p []byte) (int, error) { return r.writeNet(p) }
