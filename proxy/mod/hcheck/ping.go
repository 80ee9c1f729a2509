package hcheck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// cping is the packet of AJP that asks a member whether it is there, cpongType the first byte of the answer's (httpd: ajp_header.h).
var cping = []byte{0x12, 0x34, 0, 1, 10}

const (
	cpongType   = 9
	pingHeader  = 4   // bytes: "AB" and the length
	longestPing = 128 // bytes of a packet (httpd: ajp.h AJP_PING_PONG_SZ)
)

// badPong is what is wrong with an answer to CPING: lines of the log about it, the first one without the member's address.
type badPong struct {
	first, last string
	cause       error
}

func (b *badPong) Error() string { return b.last }

// ping asks by CPING, whatever the member's scheme (httpd: ajp_utils.c ajp_handle_cping_cpong).
func (t *target) ping(ctx context.Context, m *member, call *backend.Call) error {
	from, err := backend.Knock(ctx, m.Worker, t.server, call, pingPong, pingWait(m.Worker, call))
	var bad *badPong
	switch {
	case t.context.Err() != nil:
	case errors.As(err, &bad):
		level := exchange.Error
		if m.mute { // it is known
			level = exchange.Debug
		}
		m.mute = true
		if bad.first != "" {
			t.log("proxy_ajp", level, bad.cause, bad.first)
		}
		t.exchange(from).Log("proxy_ajp", level, nil, bad.last)
	case err == nil:
		m.mute = false
	}
	return err
}

// pingWait is how long the answer may take.
func pingWait(w *balancer.Worker, call *backend.Call) time.Duration {
	set := w.Settings()
	switch {
	case set.Ping.Set:
		return set.Ping.V
	case set.ConnectTimeout.Set:
		return set.ConnectTimeout.V
	}
	return backend.IOTimeout(w, call)
}

// pingPong sends a CPING and reads the answer.
func pingPong(c io.ReadWriter) error {
	if _, err := c.Write(cping); err != nil {
		return &badPong{"AH01029: ajp_ilink_send(): send failed", "AH01009: ajp_handle_cping_cpong: ajp_ilink_send failed", err}
	}
	const failed = "AH01012: ajp_handle_cping_cpong: ajp_ilink_receive failed"
	var packet [longestPing]byte
	if _, err := io.ReadFull(c, packet[:pingHeader]); err != nil {
		return &badPong{"AH01030: ajp_ilink_receive() can't receive header", failed, err}
	}
	n := int(packet[2])<<8 | int(packet[3])
	if string(packet[:2]) != "AB" || n+pingHeader > len(packet) {
		return &badPong{"AH01031: ajp_ilink_receive() received bad header", failed, nil}
	}
	if _, err := io.ReadFull(c, packet[pingHeader:pingHeader+n]); err != nil {
		return &badPong{fmt.Sprint("AH01032: ajp_ilink_receive() error while receiving message body of length ", pingHeader), failed, err}
	}
	if packet[pingHeader] != cpongType || n == 0 {
		return &badPong{"", fmt.Sprint("AH01014: ajp_handle_cping_cpong: awaited CPONG, received ", packet[pingHeader], " "), nil}
	}
	return nil
}
