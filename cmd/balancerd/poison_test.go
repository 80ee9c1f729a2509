//go:build poison

package main

// poisoned reports whether memory that is given back is overwritten (proxy/internal/poison).
const poisoned = true
