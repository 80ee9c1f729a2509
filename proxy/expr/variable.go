package expr

import (
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
)

// variable is one %{NAME}.
type variable struct {
	name string
	of   func(*exchange.Exchange) string
	vary string // the request field that it shows
}

// variables are all names but SSL_ and HC_ (httpd: util_expr_eval.c var_providers).
var variables = [...]variable{
	{"HTTP_USER_AGENT", field("User-Agent"), "User-Agent"},
	{"HTTP_PROXY_CONNECTION", field("Proxy-Connection"), "Proxy-Connection"},
	{"HTTP_REFERER", field("Referer"), "Referer"},
	{"HTTP_COOKIE", field("Cookie"), "Cookie"},
	{"HTTP_FORWARDED", field("Forwarded"), "Forwarded"},
	{"HTTP_HOST", field("Host"), "Host"},
	{"HTTP_ACCEPT", field("Accept"), "Accept"},

	{"REQUEST_METHOD", func(x *exchange.Exchange) string { return x.Req.Method }, ""},
	{"REQUEST_SCHEME", (*exchange.Exchange).Scheme, ""},
	{"REQUEST_URI", uri, ""},
	{"REQUEST_FILENAME", (*exchange.Exchange).Mapped, ""},
	{"REMOTE_HOST", RemoteHost, ""},
	{"REMOTE_IDENT", nothing, ""},
	{"REMOTE_USER", func(x *exchange.Exchange) string { return x.User }, ""},
	{"SERVER_ADMIN", func(x *exchange.Exchange) string { return x.Server.Address() }, ""},
	{"SERVER_NAME", (*exchange.Exchange).ServerName, ""},
	{"SERVER_PORT", func(x *exchange.Exchange) string { return x.Arena.Int(int64(x.ServerPort())) }, ""},
	{"SERVER_PROTOCOL", func(x *exchange.Exchange) string { return x.Req.ProtoText() }, ""},
	{"SCRIPT_FILENAME", (*exchange.Exchange).Mapped, ""},
	{"PATH_INFO", func(x *exchange.Exchange) string { return x.PathInfo }, ""},
	{"QUERY_STRING", func(x *exchange.Exchange) string { return x.Req.Query }, ""},
	{"IS_SUBREQ", func(x *exchange.Exchange) string { return strconv.FormatBool(x.Depth > 0) }, ""},
	{"DOCUMENT_ROOT", func(x *exchange.Exchange) string { return x.Server.DocumentRoot }, ""},
	{"AUTH_TYPE", func(x *exchange.Exchange) string { return x.AuthType }, ""},
	{"THE_REQUEST", func(x *exchange.Exchange) string { return x.Req.Line }, ""},
	{"CONTENT_TYPE", contentType, ""},
	{"HANDLER", func(x *exchange.Exchange) string { return x.Handler }, ""},
	{"REQUEST_LOG_ID", func(x *exchange.Exchange) string { return x.LogID }, ""},
	{"SCRIPT_USER", owner, ""},
	{"SCRIPT_GROUP", ownerGroup, ""},
	{"DOCUMENT_URI", documentURI, ""},
	{"LAST_MODIFIED", lastModified, ""},
	{"CONTEXT_PREFIX", func(x *exchange.Exchange) string { return x.Context.Prefix }, ""},
	{"CONTEXT_DOCUMENT_ROOT", (*exchange.Exchange).ContextRoot, ""},
	{"REQUEST_STATUS", status, ""},
	{"REMOTE_ADDR", func(x *exchange.Exchange) string { return x.ClientIP }, ""},
	{"REMOTE_PORT", func(x *exchange.Exchange) string { return x.Arena.Int(int64(x.Conn.Remote.Port())) }, ""},

	{"HTTPS", func(x *exchange.Exchange) string { return onOff(x.Conn.Secure) }, ""},
	{"IPV6", func(x *exchange.Exchange) string { return onOff(x.Conn.Remote.Addr().Unmap().Is6()) }, ""},
	{"CONN_LOG_ID", nothing, ""},
	{"CONN_REMOTE_ADDR", func(x *exchange.Exchange) string { return x.Conn.RemoteIP }, ""},
	{"HTTP2", func(x *exchange.Exchange) string { return onOff(x.Req.Major == 2) }, ""},

	{"TIME_YEAR", now("2006"), ""},
	{"TIME_MON", now("01"), ""},
	{"TIME_DAY", now("02"), ""},
	{"TIME_HOUR", now("15"), ""},
	{"TIME_MIN", now("04"), ""},
	{"TIME_SEC", now("05"), ""},
	{"TIME_WDAY", func(*exchange.Exchange) string { return strconv.Itoa(int(time.Now().Weekday())) }, ""},
	{"TIME", now("20060102150405"), ""},
	{"SERVER_SOFTWARE", func(x *exchange.Exchange) string { return x.Server.Token }, ""},
	{"API_VERSION", func(*exchange.Exchange) string { return "20120211" }, ""},
}

// Variable is how to read the variable of a name, any case, for packages with a syntax of their own (log
// formats, RewriteCond). ok is false when expressions have no such variable. SSL_ names always exist.
func Variable(name string) (of func(*exchange.Exchange) string, ok bool) {
	for i := range variables {
		if v := &variables[i]; exchange.EqualFold(v.name, name) {
			return v.of, true
		}
	}
	if suffix, ok := cutFold(name, "SSL_"); ok {
		return tlsVariable(suffix), true
	}
	return nil, false
}

func (p *parser) variableNamed(name string) word {
	if p.failed {
		return literal("")
	}
	for i := range variables {
		if v := &variables[i]; exchange.EqualFold(v.name, name) {
			return &value{name: name, of: v.of, vary: v.vary}
		}
	}
	if suffix, ok := cutFold(name, "SSL_"); ok && !p.o.NoTLS {
		return &value{name: name, of: tlsVariable(suffix)}
	}
	if suffix, ok := cutFold(name, "HC_"); ok {
		if !exchange.EqualFold(suffix, "BODY") {
			return &value{name: name, of: nothing}
		}
		return body{name}
	}
	p.name = "Variable '" + name + "' does not exist"
	return literal("")
}

// cutFold is strings.CutPrefix without regard to case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) >= len(prefix) && exchange.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

func nothing(*exchange.Exchange) string { return "" }

func field(name string) func(*exchange.Exchange) string {
	return func(x *exchange.Exchange) string { return x.Req.Header.Get(name) }
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// uri is the decoded path, or the path as received while it is not decoded yet (httpd: r->uri).
func uri(x *exchange.Exchange) string {
	if x.Req.Path == "" {
		return x.Req.RawPath
	}
	return x.Req.Path
}

func documentURI(x *exchange.Exchange) string {
	if u, ok := x.Env.Get("DOCUMENT_URI"); ok {
		return u
	}
	return uri(x)
}

func contentType(x *exchange.Exchange) string {
	if t := x.Res.Header.Get("Content-Type"); t != "" {
		return t
	}
	return x.Res.Always.Get("Content-Type")
}

// status is the answer's, as far as there is one: 200 until then, and that of the error while its
// ErrorDocument is fetched.
func status(x *exchange.Exchange) string {
	n := x.Res.Status
	if n == 0 && x.Prev != nil {
		n = x.Prev.Error
	}
	if n == 0 {
		n = 200
	}
	return x.Arena.Int(int64(n))
}

// now is the local time in a layout that has no names in it.
func now(layout string) func(*exchange.Exchange) string {
	return func(x *exchange.Exchange) string {
		return x.Arena.Keep(time.Now().AppendFormat(x.Arena.Scratch(len(layout)), layout))
	}
}

// lastModified is the time of the file that is the answer, 1970 when it is none (httpd: r->mtime).
func lastModified(x *exchange.Exchange) string {
	t := time.Unix(0, 0)
	if x.Res.Local {
		if m, err := time.Parse(time.RFC1123, x.Res.Header.Get("Last-Modified")); err == nil {
			t = m.Local()
		}
	}
	return x.Arena.Keep(t.AppendFormat(x.Arena.Scratch(14), "20060102150405"))
}

// owner is the user who owns the file that the URL was mapped to.
func owner(x *exchange.Exchange) string {
	if st := stat(x); st != nil {
		if u, err := user.LookupId(strconv.Itoa(int(st.Uid))); err == nil {
			return u.Username
		}
	}
	return ""
}

func ownerGroup(x *exchange.Exchange) string {
	if st := stat(x); st != nil {
		if g, err := user.LookupGroupId(strconv.Itoa(int(st.Gid))); err == nil {
			return g.Name
		}
	}
	return ""
}

func stat(x *exchange.Exchange) *syscall.Stat_t {
	if !strings.HasPrefix(x.Filename, "/") {
		return nil
	}
	x.Block()
	info, err := os.Stat(x.Filename)
	if err != nil {
		return nil
	}
	st, _ := info.Sys().(*syscall.Stat_t)
	return st
}
