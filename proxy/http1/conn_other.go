//go:build !linux

package http1

func (c *conn) catchUp() {}
