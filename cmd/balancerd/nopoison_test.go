//go:build !poison

package main

// poisoned tells whether memory that is given back is overwritten (proxy/internal/poison).
const poisoned = false
