//go:build !linux

package http1

// serveRaw is for Linux: elsewhere every connection is a net.Conn.
func (c *conn) serveRaw() { c.over = true }

func (c *conn) catchUp() bool { return false }
