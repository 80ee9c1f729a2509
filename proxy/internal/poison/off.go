//go:build !poison

package poison

import "sync"

// On reports whether memory that is given back is overwritten.
const On = false

// Bytes does nothing in a build without the tag.
func Bytes([]byte) {}

// Texts does nothing in a build without the tag.
func Texts(any) {}

// Put gives an item back to its pool.
func Put(p *sync.Pool, item any) { p.Put(item) }
