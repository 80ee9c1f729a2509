package http1

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// echo answers every request with what it was.
func echo(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		q, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(q.Body)
		text := fmt.Sprintf("%s %s body %d %.20s", q.Method, q.RequestURI, len(body), body)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-Member: 1\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		if q.Close {
			return
		}
	}
}

func TestThinWay(t *testing.T) {
	m := newMember(t, echo)
	a := &app{worker: newWorker(t, "http://"+m.Addr, nil)}
	f := newFront(t, a)
	got := f.ask(t, "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b?c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if strings.Count(got, "HTTP/1.1 200 OK\r\n") != 2 || !strings.Contains(got, "GET /a body 0") || !strings.HasSuffix(got, "GET /b?c body 0 <EOF>") {
		t.Errorf("got %q", got)
	}
	if m.Connections() != 1 {
		t.Errorf("%d connections to the member", m.Connections())
	}
}
