package backend

import (
	"strconv"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/tunnel"
)

// tunnelLog writes the lines of a tunnel (httpd: proxy_util.c ap_proxy_tunnel_run, proxy_transfer).
type tunnelLog struct {
	x        *exchange.Exchange
	protocol string // "websocket", as the member said it, or "CONNECT"
}

// begins notes that it runs.
func (l tunnelLog) begins(idle time.Duration) {
	if !l.x.Enabled("proxy", exchange.Trace1) {
		return
	}
	seconds := "-1.000000"
	if idle > 0 {
		seconds = strconv.FormatFloat(idle.Seconds(), 'f', 6, 64)
	}
	l.x.Log("proxy", exchange.Trace1, nil, l.x.Arena.Join("AH10212: proxy: ", l.protocol, ": tunnel running (timeout ", seconds, ")"))
}

// httpd's statuses of a tunnel's end.
const (
	tunnelDone   = "-2"
	tunnelOK     = "0"
	tunnelFailed = "500"
	tunnelLate   = "504"
)

// ended notes how it ended.
func (l tunnelLog) ended(e *tunnel.Ending) {
	x, status := l.x, tunnelOK
	switch e.How {
	case tunnel.OneEnded:
		status = tunnelDone
	case tunnel.Silent:
		status = tunnelLate
		if x.Enabled("proxy", exchange.Trace2) {
			x.Log("proxy", exchange.Trace2, nil, x.Arena.Join("AH10213: proxy: ", l.protocol, ": polling timed out (client=", events(e.Waits[0]), ", origin=", events(e.Waits[1]), ")"))
		}
	case tunnel.ReadFailed:
		status = tunnelFailed
		x.Log("proxy", exchange.Debug, e.Err, x.Arena.Join("AH03308: ap_proxy_transfer_between_connections: error on ", sideOf(e), " - ap_get_brigade"))
	case tunnel.WriteFailed:
		status = tunnelFailed
		x.Log("proxy", exchange.Error, e.Err, x.Arena.Join("AH03307: ap_proxy_transfer_between_connections: error on ", sideOf(e), " - ap_pass_brigade"))
	}
	if x.Enabled("proxy", exchange.Trace1) {
		x.Log("proxy", exchange.Trace1, nil, x.Arena.Join("AH10223: proxy: ", l.protocol, ": tunneling returns (", status, ")"))
	}
	if e.How == tunnel.Silent && l.protocol == connectProtocol {
		x.Log("proxy_connect", exchange.Error, nil, "AH10224: tunnel timed out")
	}
}

const connectProtocol = "CONNECT"

func sideOf(e *tunnel.Ending) string {
	if e.Member {
		return "origin"
	}
	return "client"
}

// events is what httpd would have waited for on a side: APR's poll flags, in hexadecimal.
func events(w tunnel.Wait) string {
	return [...]string{0: "0", tunnel.ToRead: "31", tunnel.ToWrite: "14", tunnel.ToRead | tunnel.ToWrite: "35"}[w]
}
