package filestamp

import (
	"io/fs"
	"syscall"
	"time"
)

// Stamp is what changes when a file does. Stamps are compared with ==.
type Stamp struct {
	Size              int64 // bytes
	modified, changed int64 // nanoseconds since the epoch
	device, inode     uint64
	mode              fs.FileMode
	user, group       uint32
}

// Of is the stamp of what a look at a file found.
func Of(fi fs.FileInfo) Stamp {
	s := Stamp{Size: fi.Size(), modified: fi.ModTime().UnixNano(), mode: fi.Mode()}
	s.changed = s.modified
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		s.device, s.inode, s.changed, s.user, s.group = uint64(st.Dev), st.Ino, changeTime(st), st.Uid, st.Gid
	}
	return s
}

// MayHide reports whether a file that was read from a time on may have changed since and still look as it does: file
// systems count in the kernel's ticks, old ones in seconds.
func (s Stamp) MayHide(read time.Time) bool {
	tick := 20 * time.Millisecond
	if s.changed%int64(time.Millisecond) == 0 {
		tick = 2 * time.Second
	}
	return read.UnixNano()-s.changed < int64(tick)
}
