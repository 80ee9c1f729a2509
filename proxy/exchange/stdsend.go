package exchange

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

var errShort = errors.New("the body ended before its length")

// sendStd sends x's answer through net/http and notes what happened on the wire.
func sendStd(x *Exchange, w http.ResponseWriter, r *http.Request) error {
	res := &x.Res
	if res.Body != nil {
		defer res.Body.Close()
	}
	if res.Tunnel != nil {
		return sendTunnel(x, w)
	}
	headStd(x, w, r)
	res.FirstByte = time.Now()
	if r.Method == http.MethodHead || res.Body == nil || !mayHaveBody(res.Status) {
		return nil
	}
	if err := bodyStd(res, w); err != nil {
		return err
	}
	for i := range res.Trailer.F {
		w.Header().Add(http.TrailerPrefix+res.Trailer.F[i].Name, res.Trailer.F[i].Value)
	}
	return nil
}

// headStd sends the status and the fields.
func headStd(x *Exchange, w http.ResponseWriter, r *http.Request) {
	res, to := &x.Res, w.Header()
	if res.Status < 200 || res.Status > 999 {
		res.Status = http.StatusInternalServerError // WriteHeader panics at what is not a status
	}
	copyStd(to, &res.Header)
	copyStd(to, &res.Always)
	for _, name := range ownFields {
		delete(to, name)
	}
	if _, named := to["Server"]; !named && x.Server != nil && x.Server.Token != "" {
		to.Set("Server", x.Server.Token) // net/http adds a Date in the same way
	}
	if _, named := to["Content-Type"]; !named {
		to["Content-Type"] = nil // keeps net/http from guessing
	}
	if mayHaveBody(res.Status) && res.Length >= 0 && (res.Body != nil || r.Method == http.MethodHead || res.Length == 0) {
		to.Set("Content-Length", strconv.FormatInt(res.Length, 10))
	}
	if res.Close && r.ProtoMajor == 1 {
		to.Set("Connection", "close")
	}
	w.WriteHeader(res.Status)
}

// bodyStd copies the body; what is there goes out before the next wait.
func bodyStd(res *Response, w http.ResponseWriter) error {
	buf := make([]byte, 16<<10)
	for {
		b, end := nextStd(res.Body, w, buf)
		n, err := w.Write(b)
		res.Sent += int64(n)
		res.Wrote += int64(n)
		if err != nil {
			res.Aborted = true
			return err
		}
		if end != nil {
			return whole(res, end)
		}
	}
}

// nextStd is the next bytes of a body: those at hand, else what a wait brings.
func nextStd(body Source, w http.ResponseWriter, buf []byte) ([]byte, error) {
	if held := body.Buffered(); len(held) > 0 {
		n := copy(buf, held)
		body.Discard(n)
		return buf[:n], nil
	}
	http.NewResponseController(w).Flush()
	n, err := body.Read(buf)
	return buf[:n], err
}

func whole(res *Response, end error) error {
	if end != io.EOF {
		return end
	}
	if res.Length >= 0 && res.Sent < res.Length {
		return errShort
	}
	return nil
}

// sendTunnel hands the connection over. Only HTTP/1 has upgrades here; elsewhere the tunnel is given up.
func sendTunnel(x *Exchange, w http.ResponseWriter) error {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		x.Res.Tunnel.Close()
		return err
	}
	writeSwitch(&x.Res, rw.Writer)
	x.Res.FirstByte = time.Now()
	if err := rw.Flush(); err != nil {
		x.Res.Aborted = true
		x.Res.Tunnel.Close()
		conn.Close()
		return nil
	}
	x.Res.Tunnel.Join(&stdStream{Conn: conn, r: rw.Reader})
	return nil
}

func writeSwitch(res *Response, w *bufio.Writer) {
	reason := res.Reason
	if reason == "" {
		reason = ReasonOf(res.Status)
	}
	w.WriteString("HTTP/1.1 " + strconv.Itoa(res.Status) + " " + reason + "\r\n")
	for _, h := range [...]*Header{&res.Header, &res.Always} {
		for i := range h.F {
			w.WriteString(h.F[i].Name + ": " + h.F[i].Value + "\r\n")
		}
	}
	w.WriteString("\r\n")
}

// stdStream is a connection taken over from net/http, with what it had read already.
type stdStream struct {
	net.Conn
	r *bufio.Reader
}

// Read gives net/http's left-over bytes first.
func (s *stdStream) Read(p []byte) (int, error) { return s.r.Read(p) }

// CloseWrite ends our direction.
func (s *stdStream) CloseWrite() error {
	if c, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return s.Conn.Close()
}
