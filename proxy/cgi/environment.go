package cgi

import (
	"html"
	"os"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
	"balancerd/proxy/site"
)

// Request is what a protocol says of a request beside the exchange.
type Request struct {
	Filename string // SCRIPT_FILENAME
	PathInfo string // PATH_INFO; "" for none
	Length   int64  // of the body that is sent: CONTENT_LENGTH; -1: it is not known, or there is none
}

// Builder makes environments. Its memory is used again and again; one goroutine at a time owns it.
type Builder struct{ list []exchange.Variable }

// Environment puts the variables of a request into x.Env, over those of the same names that are there (httpd:
// util_script.c ap_add_common_vars, ap_add_cgi_vars).
func (b *Builder) Environment(x *exchange.Exchange, r *Request) {
	b.list = b.list[:0]
	b.header(x, r.Length)
	b.server(x)
	b.client(x)
	b.redirected(x)
	b.add("SCRIPT_FILENAME", r.Filename)
	b.request(x)
	b.script(x, r.PathInfo)
	x.Env.SetAll(b.list)
	clear(b.list)
}

func (b *Builder) add(name, value string) {
	b.list = append(b.list, exchange.Variable{Name: name, Value: value})
}

func (b *Builder) addUnlessEmpty(name, value string) {
	if value != "" {
		b.add(name, value)
	}
}

// defaultPath is PATH where this process has none (httpd: DEFAULT_PATH).
const defaultPath = "/bin:/usr/bin:/usr/ucb:/usr/bsd:/usr/local/bin"

// own is PATH and LD_LIBRARY_PATH of this process.
var own = func() (list []exchange.Variable) {
	path, ok := os.LookupEnv("PATH")
	if !ok {
		path = defaultPath
	}
	list = append(list, exchange.Variable{Name: "PATH", Value: path})
	if libraries, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok {
		list = append(list, exchange.Variable{Name: "LD_LIBRARY_PATH", Value: libraries})
	}
	return list
}()

// server adds what is said of this server.
func (b *Builder) server(x *exchange.Exchange) {
	for _, v := range own {
		if !x.Env.Has(v.Name) {
			b.list = append(b.list, v)
		}
	}
	name := x.ServerName()
	if strings.IndexByte(name, ':') >= 0 && name[0] != '[' {
		name = x.Arena.Join("[", name, "]")
	}
	b.add("SERVER_SIGNATURE", site.Signature(x, ""))
	b.add("SERVER_SOFTWARE", x.Server.Token)
	b.add("SERVER_NAME", html.EscapeString(name))
	b.add("SERVER_ADDR", address(x))
	b.add("SERVER_PORT", x.Arena.Int(int64(x.ServerPort())))
	b.add("DOCUMENT_ROOT", x.Server.DocumentRoot)
	b.add("REQUEST_SCHEME", x.Scheme())
	root := x.Context.Root
	if root == "" {
		root = x.Server.DocumentRoot
	}
	b.add("CONTEXT_PREFIX", x.Context.Prefix)
	b.add("CONTEXT_DOCUMENT_ROOT", root)
	b.add("SERVER_ADMIN", x.Server.Address())
}

// address is that of this end of the client's connection.
func address(x *exchange.Exchange) string {
	return x.Arena.Keep(x.Conn.Local.Addr().AppendTo(x.Arena.Scratch(64)))
}

// client adds what is said of who asks.
func (b *Builder) client(x *exchange.Exchange) {
	if host := expr.RemoteHost(x); host != x.ClientIP {
		b.add("REMOTE_HOST", host)
	}
	b.add("REMOTE_ADDR", x.ClientIP)
	b.add("REMOTE_PORT", x.Arena.Int(int64(x.Conn.Remote.Port())))
	b.addUnlessEmpty("REMOTE_USER", x.User)
	b.addUnlessEmpty("AUTH_TYPE", x.AuthType)
}

// redirected adds what was asked for before an internal redirect.
func (b *Builder) redirected(x *exchange.Exchange) {
	if x.Prev == nil {
		return
	}
	url := x.Prev.LastPath
	if x.Local != nil && x.Local.QualifyRedirect {
		url = x.ConstructURL(url)
	}
	b.addUnlessEmpty("REDIRECT_URL", url)
	b.addUnlessEmpty("REDIRECT_QUERY_STRING", x.Prev.LastQuery)
}

// request adds the request line's parts.
func (b *Builder) request(x *exchange.Exchange) {
	b.add("GATEWAY_INTERFACE", "CGI/1.1")
	b.add("SERVER_PROTOCOL", x.Req.ProtoText())
	b.add("REQUEST_METHOD", x.Req.Method)
	b.add("QUERY_STRING", x.Req.Query)
	uri := x.Req.Target
	if x.Local != nil && x.Local.CurrentURI {
		uri = x.Req.Path
	}
	b.add("REQUEST_URI", uri)
}
