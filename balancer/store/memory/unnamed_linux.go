package memory

import (
	"os"

	"golang.org/x/sys/unix"
)

// Unnamed makes an empty file in memory that is gone when nobody has it open (memfd_create(2)). name is
// for those who look at /proc.
func Unnamed(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
