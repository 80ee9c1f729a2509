package static

import (
	"io"

	"balancerd/proxy/exchange"
)

// discard drops the request's body, which no file wants: an ErrorDocument's member gets none of it. The
// error is 413 for one that is longer than LimitRequestBody, or what is wrong with its chunks
// (httpd: core.c default_handler, http_filters.c ap_discard_request_body).
func discard(x *exchange.Exchange) error {
	q := &x.Req
	if q.Length == 0 || x.Prev != nil && exchange.Closes(x.Prev.Error) {
		return nil
	}
	limit := int64(0)
	if x.Local != nil {
		limit = x.Local.LimitRequestBody
	}
	err := within(q, limit)
	if err != nil && q.Length > 0 {
		x.Log("http", exchange.Info, nil, x.Arena.Join("AH01588: Requested content-length of ", x.Arena.Int(q.Length), " is larger than the configured limit of ", x.Arena.Int(limit)))
	}
	x.SpendBody()
	return err
}

// within reads a chunked body to its end, up to limit bytes; 0 is no limit. The rest of a counted one is
// passed over by the client's protocol.
func within(q *exchange.Request, limit int64) error {
	if q.Length > 0 {
		if limit > 0 && q.Length > limit {
			return exchange.Status(413)
		}
		return nil
	}
	p := make([]byte, 4<<10)
	for {
		_, err := q.Body.Read(p)
		switch {
		case limit > 0 && q.Body.Taken() > limit:
			return exchange.Status(413)
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
