package server

import (
	"balancerd/proxy/exchange"
	http1 "balancerd/proxy/http1/server"
	http2 "balancerd/proxy/http2/server"
	"balancerd/proxy/http2/transport"
	"balancerd/proxy/internal/loop"
)

var _ http1.Looped = other{}

// Job is http1.Looped's.
func (o other) Job(client http1.LoopClient, info *exchange.Conn, b *http1.Reporter, asked any, end func(*loop.Task)) loop.Job {
	first, _ := asked.(*http2.First)
	return o.h2.Job(http2.Client{Socket: transport.Socket(client), Info: info, Reporter: b, First: first, End: end})
}
