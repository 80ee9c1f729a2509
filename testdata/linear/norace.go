//go:build !race

package linear

// Race reports whether the race detector runs: it allocates, and has pools forget at random.
const Race = false
