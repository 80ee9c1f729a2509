package bodies

import (
	"context"
	"fmt"
	"io"

	"balancerd/proxy/exchange"
)

// keeping is KeptBodySize: httpd keeps a body of at most that size for filters that nobody has here, and refuses a
// longer one (httpd: mod_request.c keep_body_filter).
type keeping int64

func (k keeping) request(_ context.Context, x *exchange.Exchange) error {
	if x.Req.Length > int64(k) {
		x.Log("request", exchange.Error, nil, fmt.Sprintf("AH01412: Requested content-length of %d is larger than the configured limit of %d", x.Req.Length, int64(k)))
		return exchange.Status(413)
	}
	if x.Req.Length < 0 {
		exchange.ThroughBody(x, &limited{from: x.Req.Body, left: int64(k), x: x, most: k})
	}
	return nil
}

// limited is a body of unknown length.
type limited struct {
	from io.Reader
	left int64
	x    *exchange.Exchange
	most keeping
}

// Read gives it as long as it is not too long.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	if l.left -= int64(n); l.left < 0 {
		l.x.Log("request", exchange.Error, nil, fmt.Sprintf("AH01413: Requested content-length of %d is larger than the configured limit of %d", int64(l.most)-l.left, int64(l.most)))
		return 0, exchange.Status(413)
	}
	return n, err
}
