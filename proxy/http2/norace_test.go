//go:build !race

package http2

const withRace = false
