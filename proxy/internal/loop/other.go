//go:build !linux

package loop

import "time"

// Task is never made here: each connection has a goroutine, which may block.
type Task struct{}

// Block does nothing.
func (*Task) Block() {}

// Detach does nothing.
func (*Task) Detach() {}

// Sleep lets a time pass.
func (*Task) Sleep(d time.Duration) { time.Sleep(d) }

// splicing is nothing here, and no type implements Stream.
type splicing interface{}
