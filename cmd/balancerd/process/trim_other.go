//go:build !linux

package process

import "runtime/debug"

// trim gives memory back that only a start, or the reading of a configuration, needs.
func trim() { debug.FreeOSMemory() }
