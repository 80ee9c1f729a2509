//go:build !darwin && !freebsd && !netbsd

package filestamp

import "syscall"

func changeTime(st *syscall.Stat_t) int64 { return st.Ctim.Nano() }
