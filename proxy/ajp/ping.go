package ajp

import (
	"errors"

	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
)

// errPong is what is no CPONG, and was told already.
var errPong = errors.New("ajp: no CPONG")

// AppendPing is Pinger's.
func (c *codec) AppendPing(b []byte) []byte {
	c.pinging = true
	return append(begin(b, 1), ping)
}

// ParsePong is Pinger's (httpd: ajp_utils.c ajp_handle_cping_cpong).
func (c *codec) ParsePong(in []byte) (used int, err error) {
	p, err := c.packet(in)
	switch {
	case err == backend.ErrIncomplete, err == errPong:
		return 0, err
	case err != nil:
		c.log("AH01012: ajp_handle_cping_cpong: ajp_ilink_receive failed")
		return 0, errors.Join(errPong, errBadLead)
	case p[leadSize] != pong:
		c.log("AH01014: ajp_handle_cping_cpong: awaited CPONG, received ", c.int(int(p[leadSize])), " ")
		return 0, errors.Join(errPong, exchange.ErrGeneral)
	}
	c.pinging = false
	return len(p), nil
}

// NoPong is Pinger's.
func (c *codec) NoPong(err error) {
	if !errors.Is(err, errPong) {
		err = c.cut(false, err)
		c.log("AH01012: ajp_handle_cping_cpong: ajp_ilink_receive failed")
	}
	c.x.Log(module, exchange.Error, err, c.x.Arena.Join("AH00897: cping/cpong failed to ", c.place()))
}
