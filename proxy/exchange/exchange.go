package exchange

import (
	"context"
	"time"

	"balancerd/proxy/internal/loop"
)

// Exchange is one request and its answer under way: httpd's request_rec. It is made by a server
// (http1/server, http2/server), walked through the phases of a site.Plan, and used again for the next request:
// its texts hold until Reset. One goroutine at a time owns it.
type Exchange struct {
	Conn   *Conn      // the client's connection
	Task   *loop.Task // what serves it, when that is an event loop's; nil: a goroutine
	Server *Server    // the virtual host that serves it; the connection's default until the Host is known
	Local  *Local     // what the sections in force say; follows the phases

	Req Request
	Out Outgoing // the request as a member gets it; belongs to package upstream
	Res Response

	Env   Table // httpd's subprocess_env, for %{X}e, env=, Require env
	Notes Table // httpd's notes, for %{X}n

	ClientIP string   // the client's address as text; the connection's peer's unless SetClient said better
	Relayed  bool     // SetClient said who the client is
	HostName string   // its name, if Relayed and known; see ClientHost
	Port     uint16   // the client's, if Relayed; 0: not known
	User     string   // who authenticated, "" for none
	AuthType string   // "Basic" when User is set, "ClientCert" by SSLUserName
	Filename string   // what the URL was mapped to: "proxy:http://h/p", or a path on disk; "" for nothing
	Folder   string   // whose <Directory> sections State's StateWalk holds, with the slash at its end
	Located  string   // the path whose <Location> sections State's StateLocated holds
	FileType FileType // what Filename is on disk
	PathInfo string
	Type     string  // media type that a rule forces upon the file (RewriteRule's T); "" for none
	Handler  string  // the handler that SetHandler or the mapping named, e.g. "proxy-server"
	Context  Context // what an Alias mapped

	Start         time.Time // when the request's first line was read
	LogID         string    // %L once asked for
	UniqueID      string    // mod_unique_id's name for the request, which %L is then; "" without the module
	Depth         int       // of a lookup for another exchange (-U, -F, DirectoryIndex): see Sub; 0 for the client's own
	Asker         *Exchange // of a lookup: the exchange that it is made for; nil for the client's own
	Prev          *Original // the client's own request when an internal redirect replaced it
	Front         Front     // the connection's way of answering early
	State         [states]any
	Arena         Arena
	Observer      Observer // is told what happens; nil: nobody wants to know
	InputFilters  []Filter // what steps have put into the message's way beside the Plan's, by kind
	OutputFilters []Filter
	Withheld      string // the Range that FilterProtocol has kept from the member
	RawNote       string // a sentence for the canned page, already HTML (httpd: notes "error-notes")

	Undecided bool // a pattern gave up (see GiveUp): the request ends with 500

	HeadOnly bool // the client asked with HEAD: no body is sent, even when an ErrorDocument is fetched by GET; set by the client's protocol

	finishers []Finisher
}

// Slots of State, each owned by one package for what it must remember of an exchange.
const (
	StateProxy = iota
	StateAuth
	StateRewrite
	StateAccessFiles // those whose warnings were told
	StateRewriteEnd  // there are no further rules; a lookup says nothing of it
	StateCore
	StateHost    // site: the virtual host
	StatePlan    // site: the plan in force
	StateServer  // server: the load of the configuration that serves it
	StateUpload  // backend, http2/client: what was read of a request's body for its members
	StateTLS     // ssl: what the sections say of certificates
	StateWalk    // site: the chain of the <Directory> sections that were walked last
	StateLocated // site: the chain of the <Location> sections that cover the path Located
	StateFCGI    // mod/fcgi: what the sections say of FastCGI members
	StateSCGI    // mod/scgi: what the sections say of SCGI members
	StateCache   // mod/cache: what was looked up for it
	states
)

// Context is the path that an Alias covers, and its folder, for applications that know only what is below it; the zero
// value is the document root (httpd: core.c ap_set_context_info).
type Context struct{ Prefix, Root string }

// FileType is what a name on disk leads to (httpd: finfo.filetype).
type FileType uint8

// The types that there are: devices, sockets and the like are refused.
const (
	NoFile FileType = iota
	Regular
	Directory
)

// ContextRoot is the folder of the exchange's Context.
func (x *Exchange) ContextRoot() string {
	if x.Context.Root != "" {
		return x.Context.Root
	}
	return x.Server.DocumentRoot
}

// Original is what the access log's default (%<s and friends) still needs of the client's own
// request after an internal redirect to an ErrorDocument or a DirectoryIndex.
type Original struct {
	Status   int // 200, that of the error, or of a redirect that a later rule took back
	Method   string
	Path     string
	Query    string
	Filename string
	Handler  string
	Failed   *Attempt // the ErrorDocument that failed in its turn

	Error               int    // that the request at hand is the ErrorDocument of; also a redirect that was taken back; 0 for none, or once a rule has answered (httpd: r->status)
	Redirects           int    // how many internal redirects there were so far
	LastPath, LastQuery string // of the request that was replaced last: the client's own, or a redirect of it
}

// Attempt is what an ErrorDocument that failed came to. The log shows it where it asks for the final request.
type Attempt struct {
	Status int
	Env    Table
	Header Header
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

// Finish tells the finishers. The client's protocol calls it, once, after the logs are written; again when one
// panicked, so that the others are told.
func (x *Exchange) Finish() {
	for n := len(x.finishers); n > 0; n = len(x.finishers) {
		f := x.finishers[n-1]
		x.finishers[n-1] = nil
		x.finishers = x.finishers[:n-1]
		f.Finish(x)
	}
}

// Front is the client's side of an exchange, its HTTP/1 connection or HTTP/2 stream: what a handler may send there
// before the answer is ready.
type Front interface {
	// Interim sends a 1xx answer. HTTP/1.0 clients get none (RFC 9110 section 15.2).
	Interim(status int, reason string, h *Header) error
	// Continue sends 100 Continue when the client waits for it and has not had it. reason and h are a member's; "" and nil for none.
	Continue(reason string, h *Header) error
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
	x.dropFilters()
	x.Task, x.Server, x.Local, x.Asker, x.Prev, x.Observer = nil, nil, nil, nil, nil, nil
	x.ClientIP, x.User, x.AuthType, x.Filename, x.Folder, x.Located, x.PathInfo, x.Type, x.Handler, x.LogID, x.UniqueID, x.RawNote, x.Withheld = "", "", "", "", "", "", "", "", "", "", "", "", ""
	x.Start, x.Depth, x.HeadOnly, x.Undecided, x.FileType, x.Context = time.Time{}, 0, false, false, NoFile, Context{}
	x.Relayed, x.Port, x.HostName = false, 0, ""
	clear(x.State[:])
}

// Sub is an exchange that only looks up what another local path would be: it shares nothing that it
// may change with x. It is never sent; the one who made it calls Finish
// (httpd: request.c make_sub_request).
func (x *Exchange) Sub(path string) *Exchange {
	y := &Exchange{Conn: x.Conn, Task: x.Task, Server: x.Server, Local: x.Local, Req: x.Req, ClientIP: x.ClientIP, Relayed: x.Relayed, HostName: x.HostName, Port: x.Port, User: x.User, AuthType: x.AuthType,
		Start: x.Start, LogID: x.LogID, UniqueID: x.UniqueID, State: x.State, Folder: x.Folder, Located: x.Located, Depth: x.Depth + 1, Asker: x, Observer: x.Observer}
	y.State[StateProxy], y.State[StateRewrite], y.State[StateRewriteEnd] = nil, nil, nil
	y.Req.Method, y.Req.Path, y.Req.RawPath, y.Req.Port = "GET", path, path, 0
	y.Req.Target = path
	y.Req.Header, y.Req.Trailer = Header{}, Header{}
	y.Req.Header.CopyFrom(&x.Req.Header)
	y.Env.CopyFrom(&x.Env)
	return y
}

// TakeOver makes x what a lookup for it found y to be, under x's own method: no rule is asked again. y is
// over then (httpd: http_request.c ap_internal_fast_redirect).
func (x *Exchange) TakeOver(y *Exchange) {
	x.Req.Path, x.Req.RawPath, x.Req.Query, x.Req.HasQuery = y.Req.Path, y.Req.RawPath, y.Req.Query, y.Req.HasQuery
	x.Filename, x.FileType, x.PathInfo, x.Type, x.Handler, x.Context = y.Filename, y.FileType, y.PathInfo, y.Type, y.Handler, y.Context
	y.State[StateWalk], y.State[StateRewriteEnd] = x.State[StateWalk], x.State[StateRewriteEnd]
	if y.State[StateRewrite] == nil {
		y.State[StateRewrite] = x.State[StateRewrite]
	}
	x.Local, x.State, x.Located = y.Local, y.State, y.Located
	x.InputFilters, x.OutputFilters = staying(y.InputFilters, x.InputFilters), staying(y.OutputFilters, x.OutputFilters)
	x.Env.CopyFrom(&y.Env)
	for i := range y.Notes.Len() {
		x.Notes.Set(y.Notes.At(i))
	}
	x.TakeFields(y)
	x.finishers = append(x.finishers, y.finishers...)
	y.finishers = nil
}

// TakeFields adds the fields that a lookup's answer has so far to x's.
func (x *Exchange) TakeFields(y *Exchange) {
	overlay(&x.Res.Header, &y.Res.Header)
	overlay(&x.Res.Always, &y.Res.Always)
}

func overlay(to, from *Header) {
	for i := range from.F {
		to.Del(from.F[i].Name)
	}
	for i := range from.F {
		to.Add(from.F[i].Name, from.F[i].Value)
	}
}

// GiveUp notes that a pattern came to its limits, and logs it. Nobody knows what it would have granted, denied
// or set, so the request ends with 500, whatever else is found out: the site looks after each step.
func (x *Exchange) GiveUp(module, what string, err error) {
	x.Undecided = true
	x.Log(module, Error, nil, x.Arena.Join(what, " can't be decided: ", err.Error()))
}

// Block is to be called before anything that may block, or compute for long, and is no read or write of the
// client's or a member's connection: name look-ups, files, password hashes, a wait for a balancer. An event
// loop that serves the exchange goes on without it then, until its next wait for one of those connections.
func (x *Exchange) Block() {
	x.Task.Block()
}

// Turn counts the bytes that were worked on since an event loop was told to go on without the exchange: for what goes over a
// body of any length.
type Turn int

// Worked counts n bytes more, and calls x's Block when they are more than most.
func (t *Turn) Worked(x *Exchange, n, most int) {
	if *t += Turn(n); int(*t) > most {
		*t = 0
		x.Block()
	}
}

// Sleep lets a time pass, for a body that is to be read slowly: an event loop goes on meanwhile, and no goroutine waits.
func (x *Exchange) Sleep(d time.Duration) { x.Task.Sleep(d) }

// Detach is Block for the rest of the exchange: it is going to wait for goroutines of its own again and
// again.
func (x *Exchange) Detach() {
	x.Task.Detach()
}

// Forwarded reports whether the request is mapped to a member's URL (httpd: r->proxyreq).
func (x *Exchange) Forwarded() bool {
	return len(x.Filename) >= 6 && x.Filename[:6] == "proxy:"
}

// Mapped is what the request was mapped to, as logs and variables show it: a file, or "proxy:" and a member's URL.
func (x *Exchange) Mapped() string {
	if m, ok := x.State[StateProxy].(interface{ MappedURL() string }); ok && x.Forwarded() {
		if url := m.MappedURL(); url != "" {
			return url
		}
	}
	return x.Filename
}

// Main reports whether the exchange still serves the client's own path, not an internal redirect.
func (x *Exchange) Main() bool { return x.Prev == nil }
