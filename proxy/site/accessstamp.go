package site

import (
	"io/fs"
	"syscall"
	"time"
)

// accessStamp is what changes when a file does.
type accessStamp struct {
	device, inode           uint64
	size, modified, changed int64 // bytes; nanoseconds since the epoch
	mode                    fs.FileMode
	user, group             uint32
}

func stampOf(fi fs.FileInfo) accessStamp {
	s := accessStamp{size: fi.Size(), modified: fi.ModTime().UnixNano(), mode: fi.Mode()}
	s.changed = s.modified
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode, s.changed, s.user, s.group = uint64(st.Dev), st.Ino, changeTime(st), st.Uid, st.Gid
	}
	return s
}

// mayHide reports whether a file that was read at a time may have changed since and still look as it does: file
// systems count in the kernel's ticks, old ones in seconds.
func (s accessStamp) mayHide(read time.Time) bool {
	tick := 20 * time.Millisecond
	if s.changed%int64(time.Millisecond) == 0 {
		tick = 2 * time.Second
	}
	return read.UnixNano()-s.changed < int64(tick)
}
