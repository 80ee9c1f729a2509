package dbm

import (
	"encoding/binary"
	"io"
)

// What is in the two files of a table of type SDBM: bits that say how far the pages were split, and the pages
// (APR: sdbm_private.h).
const (
	sdbmPage   = 1024
	mostSplits = 31 // bits of a hash
)

func findSDBM(files []io.ReaderAt, key string) (value string, ok bool, err error) {
	var page [sdbmPage]byte
	if _, err := files[1].ReadAt(page[:], sdbmPageOf(files[0], sdbmHash(key))*sdbmPage); err != nil && err != io.EOF {
		return "", false, err
	}
	value, ok = inSDBMPage(&page, key)
	return value, ok, nil
}

// sdbmHash is SDBM's hash (APR: sdbm_hash.c; bytes beyond ASCII are negative).
func sdbmHash(key string) (h uint32) {
	for i := 0; i < len(key); i++ {
		h = uint32(int32(int8(key[i]))) + 65599*h
	}
	return h
}

// sdbmPageOf is the number of the page that holds the keys of a hash: the directory is a tree of bits that says how many
// bits of the hash count (APR: sdbm.c getpage).
func sdbmPageOf(dir io.ReaderAt, hash uint32) int64 {
	at, used := int64(0), 0
	var b [1]byte
	for used < mostSplits {
		if n, _ := dir.ReadAt(b[:], at/8); n == 0 || b[0]>>(at%8)&1 == 0 {
			break
		}
		at = 2*at + 1 + int64(hash>>used&1)
		used++
	}
	return int64(hash & (1<<used - 1))
}

// inSDBMPage looks for a key in a page: how many offsets there are, and the offsets of each key and its value, which are
// filled in from the end (APR: sdbm_pair.c getpair).
func inSDBMPage(page *[sdbmPage]byte, key string) (value string, ok bool) {
	offset := func(i int) int { return int(int16(binary.NativeEndian.Uint16(page[2*i:]))) }
	end := sdbmPage
	n := min(offset(0), sdbmPage/2-1)
	for i := 1; i+1 <= n; i += 2 {
		k, v := offset(i), offset(i+1)
		if v < 0 || k < v || end < k {
			return "", false // not a table
		}
		if string(page[k:end]) == key {
			return string(page[v:k]), true
		}
		end = v
	}
	return "", false
}
