package heartbeat

import (
	"errors"
	"io"
	"time"

	"balancerd/proxy/exchange"
)

// serve takes in a report that comes by POST: the member is the connection's other end, whatever remoteip says
// (httpd: mod_heartmonitor.c hm_handler).
func (m *monitor) serve(x *exchange.Exchange, active bool) error {
	if x.Req.Method != "POST" {
		return exchange.Status(405)
	}
	if !active {
		x.Log("heartmonitor", exchange.Error, nil, "AH10561: Heartbeat monitoring not active")
		return exchange.Status(503)
	}
	text := make([]byte, longestReport)
	n, err := io.ReadFull(x.Req.Body, text)
	var bad *exchange.BodyError
	switch {
	case errors.As(err, &bad):
		return bad.Status
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return exchange.Status(400)
	}
	r, wrong, ok := posted(string(text[:n]), time.Now())
	if !ok {
		x.Log("heartmonitor", exchange.Error, nil, "AH10563: Missing required parameters: busy and/or ready")
		return exchange.Status(400)
	}
	for _, line := range wrong {
		x.Log("heartmonitor", exchange.Warn, nil, line)
	}
	x.Block() // report waits for who is writing the file
	m.report(x.Conn.RemoteIP, r)
	m.store(nil)
	x.Res.Status = 200
	x.Res.Header.Set("Content-Type", "text/plain")
	x.Res.Text("OK")
	return nil
}
