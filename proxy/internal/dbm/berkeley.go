package dbm

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
)

// hashTable is a Berkeley DB file of type hash, as its first page describes it (Berkeley DB: db_page.h, struct _dbmeta33
// and _hashmeta33).
type hashTable struct {
	file                         io.ReaderAt
	order                        binary.ByteOrder
	pageSize                     uint32
	lastPage                     uint32
	maxBucket, highMask, lowMask uint32
	spares                       [32]uint32 // what is added to a bucket's number for its page's, by the doubling that made it
}

// Offsets in the first page.
const (
	atMagic     = 12
	atVersion   = 16
	atPageSize  = 20
	atEncrypted = 24
	atType      = 25
	atMetaFlags = 26
	atLastPage  = 32
	atMaxBucket = 72
	atHighMask  = 76
	atLowMask   = 80
	atCheckWord = 92
	atSpares    = 96
	metaSize    = atSpares + 4*32
)

// Values in it, and bounds.
const (
	hashMagic    = 0x061561
	firstVersion = 5 // with this hash function
	lastVersion  = 10
	typeHashMeta = 8
	hasChecksums = 1
	checkWord    = "%$sniglet^&\x00" // its hash is in the file
	smallestPage = 512
	largestPage  = 64 << 10
	mostChained  = 1 << 10 // pages of a bucket, or of an item
	largestValue = 64 << 10
)

// Of a page: its head, and the types of pages and of items in it.
const (
	atNextPage  = 16
	atEntries   = 20
	atUsed      = 22 // of a page of type overflow: bytes of an item
	atPageType  = 25
	pageHead    = 26
	pageOfHash  = 13
	pageOfOlder = 2 // the same, not sorted
	pageOfMore  = 7 // a large item's bytes
	itemHere    = 1
	itemOnPages = 3
	pagesItem   = 12 // bytes of an item on pages: type, number of the first, length
)

var (
	errNoTable   = errors.New("it is no Berkeley DB hash table that can be read here")
	errBadTable  = errors.New("the Berkeley DB hash table is broken")
	errLongValue = errors.New("a value in the Berkeley DB hash table is longer than 64 KiB")
)

func findBerkeley(files []io.ReaderAt, key string) (value string, ok bool, err error) {
	t, err := openHash(files[0])
	if err != nil {
		return "", false, err
	}
	return t.find(key)
}

func openHash(file io.ReaderAt) (*hashTable, error) {
	var m [metaSize]byte
	if _, err := file.ReadAt(m[:], 0); err != nil && err != io.EOF {
		return nil, err
	}
	t := &hashTable{file: file, order: binary.LittleEndian}
	if t.order.Uint32(m[atMagic:]) != hashMagic {
		t.order = binary.BigEndian
	}
	number := func(at int) uint32 { return t.order.Uint32(m[at:]) }
	t.pageSize, t.lastPage = number(atPageSize), number(atLastPage)
	t.maxBucket, t.highMask, t.lowMask = number(atMaxBucket), number(atHighMask), number(atLowMask)
	for i := range t.spares {
		t.spares[i] = number(atSpares + 4*i)
	}
	version := number(atVersion)
	switch {
	case number(atMagic) != hashMagic, m[atType] != typeHashMeta, version < firstVersion, version > lastVersion,
		m[atEncrypted] != 0, m[atMetaFlags]&hasChecksums != 0, number(atCheckWord) != hashOf(checkWord),
		t.pageSize < smallestPage, t.pageSize > largestPage, t.pageSize&(t.pageSize-1) != 0:
		return nil, errNoTable
	}
	return t, nil
}

// hashOf is Fowler's, Noll's and Vo's hash, begun at 0 (Berkeley DB: hash_func.c __ham_func5).
func hashOf(key string) (h uint32) {
	for i := 0; i < len(key); i++ {
		h = h*16777619 ^ uint32(key[i])
	}
	return h
}

// pageOf is the number of a key's first page (Berkeley DB: hash.c __ham_call_hash, hash.h BS_TO_PAGE).
func (t *hashTable) pageOf(key string) uint32 {
	bucket := hashOf(key) & t.highMask
	if bucket > t.maxBucket {
		bucket &= t.lowMask
	}
	return bucket + t.spares[bits.Len32(bucket)%32]
}

// find looks through the pages of a key's bucket.
func (t *hashTable) find(key string) (value string, ok bool, err error) {
	page := make([]byte, t.pageSize)
	n := t.pageOf(key)
	for range mostChained {
		if err := t.read(page, n); err != nil {
			return "", false, err
		}
		if kind := page[atPageType]; kind != pageOfHash && kind != pageOfOlder {
			return "", false, errBadTable
		}
		if value, ok, err = t.inPage(page, key); ok || err != nil {
			return value, ok, err
		}
		if n = t.order.Uint32(page[atNextPage:]); n == 0 {
			return "", false, nil
		}
	}
	return "", false, errBadTable
}

func (t *hashTable) read(page []byte, n uint32) error {
	if n > t.lastPage {
		return errBadTable
	}
	_, err := t.file.ReadAt(page, int64(n)*int64(t.pageSize))
	if err == io.EOF {
		err = errBadTable
	}
	return err
}

// inPage looks through the pairs of a page: an item is a key, the next its value. Offsets of items begin behind the
// page's head; the items are filled in from the end.
func (t *hashTable) inPage(page []byte, key string) (value string, ok bool, err error) {
	n := int(t.order.Uint16(page[atEntries:]))
	if pageHead+2*n > len(page) {
		return "", false, errBadTable
	}
	end := len(page)
	var pair [2][]byte
	for i := range n {
		at := int(t.order.Uint16(page[pageHead+2*i:]))
		if at < pageHead+2*n || at >= end {
			return "", false, errBadTable
		}
		pair[i%2] = page[at:end]
		end = at
		if i%2 == 0 || !t.holds(pair[0], key) {
			continue
		}
		value, err = t.text(pair[1])
		return value, err == nil, err
	}
	return "", false, nil
}

// holds reports whether an item is a key. One that does not fit into a page, as of kilobytes, is none that is asked for.
func (t *hashTable) holds(item []byte, key string) bool {
	return item[0] == itemHere && string(item[1:]) == key
}

// text is an item's bytes, which may be on pages of their own.
func (t *hashTable) text(item []byte) (string, error) {
	switch {
	case item[0] == itemHere:
		return string(item[1:]), nil
	case item[0] != itemOnPages || len(item) < pagesItem:
		return "", errBadTable
	}
	next, length := t.order.Uint32(item[4:]), int(t.order.Uint32(item[8:]))
	if length < 0 || length > largestValue {
		return "", errLongValue
	}
	return t.joined(next, length)
}

// joined is so many bytes of the pages that follow each other.
func (t *hashTable) joined(next uint32, length int) (string, error) {
	page, value := make([]byte, t.pageSize), []byte(nil)
	for range mostChained {
		if len(value) >= length {
			break
		}
		if err := t.read(page, next); err != nil {
			return "", err
		}
		used := int(t.order.Uint16(page[atUsed:]))
		if page[atPageType] != pageOfMore || used > len(page)-pageHead {
			return "", errBadTable
		}
		value = append(value, page[pageHead:pageHead+used]...)
		next = t.order.Uint32(page[atNextPage:])
	}
	if len(value) != length {
		return "", errBadTable
	}
	return string(value), nil
}
