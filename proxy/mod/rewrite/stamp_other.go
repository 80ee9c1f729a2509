//go:build !linux

package rewrite

import "syscall"

func changeTime(*syscall.Stat_t) int64 { return 0 }
