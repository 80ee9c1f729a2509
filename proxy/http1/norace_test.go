//go:build !race

package http1

const withRace = false
