//go:build !linux

package memory

import "os"

// Unnamed makes an empty file, readable by this user alone, whose name is gone already.
func Unnamed(name string) (*os.File, error) {
	f, err := os.CreateTemp("", name)
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}
