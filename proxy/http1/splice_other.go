//go:build !linux

package http1

type pipes struct{}

func (d *delivery) spliceable() bool { return false }

func (d *delivery) splice() error { return d.wait() }
