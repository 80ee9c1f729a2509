package manager

import (
	"context"
	"log/slog"
	"net"
	"net/http"
)

// Facts is what the server knows of one request beyond its text. Every field may be left out.
type Facts struct {
	VHost         string // the virtual host's id, which Farm.Balancers takes
	ServerName    string // by UseCanonicalName: of the heading and the Referer rule; "": the Host field's name
	Base          string // in front of the path in the forms' action: "http://host:port"; "": by the Host field
	Persisted     bool   // BalancerPersist
	Inherited     bool   // BalancerInherit
	PassInherited bool   // ProxyPassInherit
	Threads       int    // ThreadsPerChild: what max= is where it is not set
	TraceOff      bool   // TraceEnable Off
	Signature     string // ServerSignature's line, HTML; "" for Off
	Log           func(level slog.Level, message string)
}

// Allow is the methods that the handler takes, for the field of that name.
func (f *Facts) Allow() string {
	if f.TraceOff {
		return "GET,POST,OPTIONS,HEAD"
	}
	return "GET,POST,OPTIONS,HEAD,TRACE"
}

type factsKey struct{}

// WithFacts gives the handler the facts of the request whose context ctx becomes.
func WithFacts(ctx context.Context, f Facts) context.Context {
	return context.WithValue(ctx, factsKey{}, f)
}

// factsOf completes the request's facts.
func factsOf(r *http.Request) Facts {
	f, _ := r.Context().Value(factsKey{}).(Facts)
	if f.ServerName == "" {
		f.ServerName = hostName(r.Host)
	}
	if f.Base == "" {
		f.Base = "http://" + r.Host
		if r.TLS != nil {
			f.Base = "https://" + r.Host
		}
	}
	return f
}

// hostName is an authority without its port.
func hostName(authority string) string {
	if host, _, err := net.SplitHostPort(authority); err == nil {
		return host
	}
	return authority
}
