package exchange

import (
	"context"
	"time"
)

// Exchange is one request and its answer under way: httpd's request_rec. It is made by a front
// (http1, http2), walked through the phases of a site.Plan, and used again for the next request:
// its texts hold until Reset. One goroutine at a time owns it.
type Exchange struct {
	Conn   *Conn   // the client's connection
	Server *Server // the virtual host that serves it; the connection's default until the Host is known
	Local  *Local  // what the sections in force say; follows the phases

	Req Request
	Out Outgoing // the request as a member gets it; belongs to the proxy room
	Res Response

	Env   Table // httpd's subprocess_env, for %{X}e, env=, Require env
	Notes Table // httpd's notes, for %{X}n

	ClientIP string // the client's address as text; the connection's peer unless remoteip knows better
	User     string // who authenticated, "" for none
	AuthType string // "Basic" when User is set, "ClientCert" by SSLUserName
	Filename string // what the URL was mapped to: "proxy:http://h/p", or a path on disk; "" for nothing
	PathInfo string
	Handler  string // the handler that SetHandler or the mapping named, e.g. "proxy-server"

	Start   time.Time // when the request's first line was read
	LogID   string    // %L once asked for
	Depth   int       // of a lookup for another exchange (-U, -F, DirectoryIndex): see Sub; 0 for the client's own
	Prev    *Original // the client's own request when an internal redirect replaced it
	Front   Front     // the connection's way of answering early
	State   [states]any
	Arena   Arena
	RawNote string // a sentence for the canned page, already HTML (httpd: notes "error-notes")

	HeadOnly bool // the client asked with HEAD: no body is sent, even when an ErrorDocument is fetched by GET; set by the front

	finishers []Finisher
}

// Slots of State, each owned by one room for what it must remember of an exchange.
const (
	StateProxy = iota
	StateAuth
	StateRewrite
	StateCore
	StateHost   // site: the virtual host
	StatePlan   // site: the plan in force
	StateServer // server: the load of the configuration that serves it
	StateUpload // http1: what was read of a request's body for its member
	StateTLS    // ssl: what the sections say of certificates
	states
)

// Original is what the access log's default (%<s and friends) still needs of the client's own
// request after an internal redirect to an ErrorDocument or a DirectoryIndex.
type Original struct {
	Status   int
	Method   string
	Path     string
	Query    string
	Filename string
	Handler  string
}

// Step is one thing that a phase does to an exchange. nil: go on with the next; Stop: this phase
// is over; a Status: answer with it; *Redirect: start over with another path.
type Step func(context.Context, *Exchange) error

// Handler makes the answer: it fills x.Res, or returns an error as a Step does.
type Handler interface {
	Serve(context.Context, *Exchange) error
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(context.Context, *Exchange) error

// Serve calls f.
func (f HandlerFunc) Serve(ctx context.Context, x *Exchange) error { return f(ctx, x) }

// Finisher is told once that the exchange is over, after the answer was sent and logged.
type Finisher interface{ Finish(*Exchange) }

// OnFinish has f told at the end, the last one first.
func (x *Exchange) OnFinish(f Finisher) { x.finishers = append(x.finishers, f) }

// Finish tells the finishers. The front calls it, once, after the logs are written; again when one
// panicked, so that the others are told.
func (x *Exchange) Finish() {
	for n := len(x.finishers); n > 0; n = len(x.finishers) {
		f := x.finishers[n-1]
		x.finishers[n-1] = nil
		x.finishers = x.finishers[:n-1]
		f.Finish(x)
	}
}

// Front is what a handler may ask of the connection before the answer is ready.
type Front interface {
	// Interim sends a 1xx answer. HTTP/1.0 clients get none (RFC 9110 section 15.2).
	Interim(status int, reason string, h *Header) error
	// Continue sends 100 Continue when the client waits for it and has not had it.
	Continue() error
}

// Reset makes x fit for the next request of a connection, keeping its storage.
func (x *Exchange) Reset() {
	x.Req.reset()
	x.Out.reset()
	x.Res.reset()
	x.Env.Reset()
	x.Notes.Reset()
	x.Arena.Reset()
	clear(x.finishers)
	x.finishers = x.finishers[:0]
	x.Server, x.Local, x.Prev = nil, nil, nil
	x.ClientIP, x.User, x.AuthType, x.Filename, x.PathInfo, x.Handler, x.LogID, x.RawNote = "", "", "", "", "", "", "", ""
	x.Start, x.Depth, x.HeadOnly = time.Time{}, 0, false
	clear(x.State[:])
}

// Sub is an exchange that only looks up what another local path would be: it shares nothing that it
// may change with x. It is never sent; the one who made it calls Finish
// (httpd: request.c make_sub_request).
func (x *Exchange) Sub(path string) *Exchange {
	y := &Exchange{Conn: x.Conn, Server: x.Server, Local: x.Local, Req: x.Req, ClientIP: x.ClientIP, User: x.User, AuthType: x.AuthType,
		Start: x.Start, LogID: x.LogID, State: x.State, Depth: x.Depth + 1}
	y.State[StateProxy] = nil
	y.Req.Method, y.Req.Path, y.Req.RawPath = "GET", path, path
	y.Req.Target = path
	y.Req.Header, y.Req.Trailer = Header{}, Header{}
	y.Req.Header.CopyFrom(&x.Req.Header)
	y.Env.CopyFrom(&x.Env)
	return y
}

// Slow is to be called before anything that may take long but is no talk with the client or the
// member: connections that are served by the same event loop wait no longer then. It holds until the
// next wait for one of those.
func (x *Exchange) Slow() {
	if x.Conn != nil {
		x.Conn.Task.Leave()
	}
}

// Apart is Slow for the rest of the exchange: it is going to wait for goroutines of its own again and
// again.
func (x *Exchange) Apart() {
	if x.Conn != nil {
		x.Conn.Task.Apart()
	}
}

// Main tells whether the exchange still serves the client's own path, not an internal redirect.
func (x *Exchange) Main() bool { return x.Prev == nil }
