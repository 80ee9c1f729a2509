//go:build !linux

package server

type (
	pipes      struct{}
	spliceable interface{ Spliceable() bool }
)

func (d *delivery) spliceable() bool { return false }

func (d *delivery) splice() error { return d.wait() }
