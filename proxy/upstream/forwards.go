package upstream

import (
	"errors"
	"math"
	"strconv"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/wire"
	"balancerd/proxy/site"
)

// errAnswered says that the response is there without a member.
var errAnswered = errors.New("answered here")

func ignoreAnswered(err error) error {
	if err == errAnswered {
		return nil
	}
	return err
}

// countForwards sets Max-Forwards: the client's less one, or ProxyMaxForwards. At 0 this server is
// the last one: it answers TRACE and OPTIONS, and refuses the rest. TraceEnable Off refuses TRACE
// (httpd: mod_proxy.c proxy_handler).
func (h *handler) countForwards(p *proxyState) error {
	x := p.x
	p.forwards = h.forwarder.maxForwards
	if x.Req.Header.IndexID(wire.MaxForwards) >= 0 {
		text := x.Req.Header.GetID(wire.MaxForwards)
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case text == "": // as 0: APR's apr_strtoi64
			return lastForward(x)
		case err != nil || n < 0 || n == math.MaxInt64:
			x.Log("proxy", exchange.Warn, nil, x.Arena.Join("AH10188: Max-Forwards value '", text, "' could not be parsed"))
			return proxyError(x, 400, nil, "Max-Forwards request header could not be parsed")
		case n == 0:
			return lastForward(x)
		}
		p.forwards = n - 1
	}
	if x.Req.Method == "TRACE" && x.Server.Trace == exchange.TraceOff {
		x.Log("proxy", exchange.Error, nil, "AH01139: TRACE forbidden by server configuration")
		return exchange.Status(405)
	}
	return nil
}

func lastForward(x *exchange.Exchange) error {
	switch x.Req.Method {
	case "TRACE":
		if err := site.Trace(x); err != nil {
			return err
		}
		return errAnswered
	case "OPTIONS":
		x.Res.Status, x.Res.Local = 200, true
		x.Res.Header.Set("Allow", x.AllowText())
		x.Res.Bytes(nil)
		return errAnswered
	}
	return proxyError(x, 400, nil, "Max-Forwards has reached zero - proxy loop?")
}
