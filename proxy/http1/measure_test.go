package http1

import (
	"context"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/exchange"
	"balancerd/proxy/http1/client"
	"balancerd/proxy/http1/server"
)

// TestMeasure is the engine alone as a server, for a load generator: it listens on $PORT and sends the
// requests in turn to $BACKEND1 and $BACKEND2. Without PORT it is skipped.
//
//	go test -c && PORT=8080 BACKEND1=8001 BACKEND2=8002 ./http1.test -test.run Measure -test.timeout 0
func TestMeasure(t *testing.T) {
	port := os.Getenv("PORT")
	if port == "" || os.Getenv("BACKEND1") == "" {
		t.Skip("no PORT")
	}
	workers := []*balancer.Worker{
		newWorker(t, "http://127.0.0.1:"+os.Getenv("BACKEND1"), nil), newWorker(t, "http://127.0.0.1:"+os.Getenv("BACKEND2"), nil),
	}
	a := &app{srv: usualServer(), backend: client.NewBackend()}
	a.srv.MaxKeepAlive = 0
	a.srv.Levels = nil
	if s := os.Getenv("KEEPALIVE"); s != "" {
		n, _ := strconv.Atoi(s)
		a.srv.MaxKeepAlive = n
	}
	var turn atomic.Uint32
	a.serve = func(ctx context.Context, x *exchange.Exchange) { a.forwardTo(ctx, x, workers[turn.Add(1)%2]) }
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	own, err := server.NewListener(l.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	t.Fatal(server.New(a, server.Options{}).Accept(own))
}
