package rewrite

import (
	"os"
	"slices"
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/expr"
)

// variable is how %{NAME} is read of an exchange: the pass's own, or one that was looked up for it.
type variable func(p *pass, x *exchange.Exchange) string

// fields are the variables that are fields of the request.
var fields = map[string]string{
	"HTTP_ACCEPT": "Accept", "HTTP_COOKIE": "Cookie", "HTTP_FORWARDED": "Forwarded", "HTTP_HOST": "Host", "HTTP_PROXY_CONNECTION": "Proxy-Connection",
	"HTTP_REFERER": "Referer", "HTTP_USER_AGENT": "User-Agent",
}

// likeExpressions are the variables that mean what they mean in expressions (httpd: mod_rewrite.c lookup_variable).
var likeExpressions = strings.Fields(`AUTH_TYPE CONN_REMOTE_ADDR CONTEXT_PREFIX CONTEXT_DOCUMENT_ROOT DOCUMENT_ROOT HTTPS IPV6 IS_SUBREQ PATH_INFO QUERY_STRING
REMOTE_ADDR REMOTE_HOST REMOTE_IDENT REMOTE_PORT REMOTE_USER REQUEST_METHOD REQUEST_SCHEME REQUEST_URI SERVER_ADMIN SERVER_PORT SERVER_PROTOCOL
SERVER_SOFTWARE THE_REQUEST TIME TIME_DAY TIME_HOUR TIME_MIN TIME_MON TIME_SEC TIME_WDAY TIME_YEAR`)

// own are the variables that mean something else here, or are not there in expressions.
var own = map[string]variable{
	"REQUEST_FILENAME": func(_ *pass, x *exchange.Exchange) string { return x.Filename },
	"SCRIPT_FILENAME":  func(_ *pass, x *exchange.Exchange) string { return x.Filename },
	"SERVER_NAME":      func(_ *pass, x *exchange.Exchange) string { return nameForURL(x) },
	"SERVER_ADDR":      serverAddress,
	"API_VERSION":      func(*pass, *exchange.Exchange) string { return apiVersion },
	"SCRIPT_USER":      ownerOf("SCRIPT_USER"),
	"SCRIPT_GROUP":     ownerOf("SCRIPT_GROUP"),
}

// apiVersion is httpd 2.4.71's MODULE_MAGIC_NUMBER.
const apiVersion = "20120211:142"

// variableNamed is the variable of a name; nil for one that does not exist and has no text.
func variableNamed(name string) variable {
	if len(name) < 4 {
		return nil
	}
	if name[3] == ':' {
		return spaced(name[:3], name[4:])
	}
	if len(name) > 5 && name[4] == ':' {
		return lookedUp(name[:4], name[5:])
	}
	name = strings.ToUpper(name)
	if f, ok := fields[name]; ok {
		return headerField(f)
	}
	if v := own[name]; v != nil {
		return v
	}
	if slices.Contains(likeExpressions, name) {
		return plain(name)
	}
	return nil
}

func plain(name string) variable {
	if of, ok := expr.Variable(name); ok {
		return func(_ *pass, x *exchange.Exchange) string { return of(x) }
	}
	return nil
}

// spaced is ENV:name or SSL:name.
func spaced(space, name string) variable {
	switch {
	case name == "":
		return nil
	case strings.EqualFold(space, "ENV"):
		return environment(name)
	case strings.EqualFold(space, "SSL"):
		return plain(name)
	}
	return nil
}

// lookedUp is HTTP:field, LA-U:name or LA-F:name.
func lookedUp(space, name string) variable {
	switch {
	case strings.EqualFold(space, "HTTP"):
		return headerField(name)
	case strings.EqualFold(space, "LA-U"):
		return ahead(name, (*pass).lookUpURL)
	case strings.EqualFold(space, "LA-F"):
		return ahead(name, (*pass).lookUpFile)
	}
	return nil
}

// environment is a note of the request, else one of its variables, else one of this process.
func environment(name string) variable {
	return func(_ *pass, x *exchange.Exchange) string {
		if v, ok := x.Notes.Get(name); ok {
			return v
		}
		if v, ok := x.Env.Get(name); ok {
			return v
		}
		return os.Getenv(name)
	}
}

// headerField is a field of the request. One that is there, but for Host, goes into Vary if its rule matches.
func headerField(name string) variable {
	host := strings.EqualFold(name, "Host")
	return func(p *pass, x *exchange.Exchange) string {
		i := x.Req.Header.Index(name)
		if i < 0 {
			return ""
		}
		if !host {
			p.look(name)
		}
		return x.Req.Header.F[i].Value
	}
}

func serverAddress(_ *pass, x *exchange.Exchange) string {
	return x.Arena.Join(x.Conn.Local.Addr().String())
}

// ownerOf is the owner of the file; before it is known which that is, "<unknown>".
func ownerOf(name string) variable {
	of, _ := expr.Variable(name)
	return func(p *pass, x *exchange.Exchange) string {
		if x.FileType == exchange.NoFile {
			return "<unknown>"
		}
		return of(x)
	}
}

// look notes a field for Vary.
func (p *pass) look(field string) {
	if p.looked != "" {
		field = p.x.Arena.Join(p.looked, ", ", field)
	}
	p.looked = field
}

// keepLooked has the fields that were looked at count if the rule matches.
func (p *pass) keepLooked() {
	switch {
	case p.looked == "":
	case p.vary == "":
		p.vary = p.looked
	default:
		p.vary = p.x.Arena.Join(p.vary, ", ", p.looked)
	}
	p.looked = ""
}
