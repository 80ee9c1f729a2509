// Package prefix finds which of many literal prefixes a text begins with, in time that grows with the text
// and not with their number.
package prefix

import (
	"slices"
	"strings"
)

// Tree holds values by keys: a radix tree. The zero Tree is empty. It may be read by many goroutines once
// nobody adds to it.
type Tree[V any] struct{ root node[V] }

// node stands for the keys that begin with the labels on the way to it.
type node[V any] struct {
	label string
	value *V     // of the key that ends here; nil for none
	first string // the first byte of each child's label
	next  []*node[V]
}

// At is the value of a key, the zero value when the key is new.
func (t *Tree[V]) At(key string) *V {
	n := &t.root
	for key != "" {
		i := strings.IndexByte(n.first, key[0])
		if i < 0 {
			n, key = n.add(key), ""
			break
		}
		shared := common(n.next[i].label, key)
		n.split(i, shared)
		n, key = n.next[i], key[shared:]
	}
	if n.value == nil {
		n.value = new(V)
	}
	return n.value
}

// add gives a node one more child.
func (n *node[V]) add(label string) *node[V] {
	child := &node[V]{label: label}
	n.first += label[:1]
	n.next = append(n.next, child)
	return child
}

// split makes child i end after the first bytes of its label; the rest becomes a child of its own.
func (n *node[V]) split(i, bytes int) {
	old := n.next[i]
	if bytes == len(old.label) {
		return
	}
	upper := &node[V]{label: old.label[:bytes], first: old.label[bytes : bytes+1], next: []*node[V]{old}}
	old.label = old.label[bytes:]
	n.next[i] = upper
}

// common is how many bytes two texts begin with in common.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// Each calls f for every key that text begins with, the shortest first, with the key's length.
func (t *Tree[V]) Each(text string, f func(length int, v *V)) {
	n, at := &t.root, 0
	for {
		if n.value != nil {
			f(at, n.value)
		}
		if at == len(text) {
			return
		}
		i := strings.IndexByte(n.first, text[at])
		if i < 0 {
			return
		}
		n = n.next[i]
		if !strings.HasPrefix(text[at:], n.label) {
			return
		}
		at += len(n.label)
	}
}

// Reversed is a key's bytes, the last one first.
func Reversed(key string) string {
	b := []byte(key)
	slices.Reverse(b)
	return string(b)
}

// EachSuffix is Each for a tree whose keys were Reversed: f gets those that text ends with.
func (t *Tree[V]) EachSuffix(text string, f func(length int, v *V)) {
	n, at := &t.root, len(text)
	for {
		if n.value != nil {
			f(len(text)-at, n.value)
		}
		if at == 0 {
			return
		}
		i := strings.IndexByte(n.first, text[at-1])
		if i < 0 {
			return
		}
		n = n.next[i]
		if !endsWith(text[:at], n.label) {
			return
		}
		at -= len(n.label)
	}
}

// endsWith reports whether text ends with the bytes of label, the last one first.
func endsWith(text, label string) bool {
	if len(text) < len(label) {
		return false
	}
	for i := range len(label) {
		if text[len(text)-1-i] != label[i] {
			return false
		}
	}
	return true
}
