//go:build !linux

package server

import (
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/recovery"
)

// begin begins a stream's exchange.
func begin(_ *loop.Task, st *stream) {
	recovery.Go("serving a stream of HTTP/2", func() { st.Run(nil) })
}
