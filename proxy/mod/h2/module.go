package h2

import (
	"errors"
	"slices"
	"strings"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Steps are what mod_http2 does to exchanges. They stand behind the modules whose fixups may still
// change a request. upgrade is what HTTP/2 has to know of a request that asks for it by Upgrade (RFC 7540 section 3.2); nil:
// it can't be.
func Steps(upgrade func(*exchange.Exchange) any) site.Module {
	return site.Module{Name: "http2", Open: opener(upgrade), Reads: []string{"http2 dir"}}
}

// Module is mod_http2's directives. It stands before those that ask what is spoken: TLS.
func Module() site.Module {
	return site.Module{Name: "http2", Open: open, Table: slices.Concat(directive.Table{
		{Name: "H2MaxSessionStreams", Set: number(1, "value must be > 0", func(v *settings) *directive.Opt[int] { return &v.streams }), Help: "streams that a connection may have open"},
		{Name: "H2WindowSize", Set: number(1024, "value must be >= 1024", func(v *settings) *directive.Opt[int] { return &v.window }), Help: "bytes of a body that a client may send before they are wanted"},
		{Name: "H2MaxDataFrameLen", Set: number(0, "value must be 0 or larger", func(v *settings) *directive.Opt[int] { return &v.frameLen }), Help: "bytes of a DATA frame, 0 as many as the client takes"},
		{Name: "H2MaxHeaderBlockLen", Set: number(0, "value must be 0 or larger", func(v *settings) *directive.Opt[int] { return &v.block }), Help: "bytes of an answer's header, 0 no bound"},
		{Name: "H2MaxStreamErrors", Set: number(0, "value must be 0 or larger", func(v *settings) *directive.Opt[int] { return &v.errors }), Help: "streams that may go wrong before the connection ends"},
		{Name: "H2StreamTimeout", Set: setTimeout, Help: "seconds to wait for the client within a stream"},
		{Name: "H2MinWorkers", Partial: noThreads, Set: number(1, "value must be > 0", func(v *settings) *directive.Opt[int] { return &v.minWorkers }), Help: "threads for streams; the manager shows what follows for max="},
		{Name: "H2MaxWorkers", Partial: noThreads, Set: number(1, "value must be > 0", func(v *settings) *directive.Opt[int] { return &v.maxWorkers }), Help: "the same, at most"},
		{Name: "H2Direct", Set: onOff(func(v *settings) *exchange.Switch { return &v.direct }), Help: "HTTP/2 by its preface alone"},
		{Name: "H2Upgrade", Set: setUpgrade, Help: "HTTP/2 by Upgrade: h2c"},
		{Name: "H2ModernTLSOnly", Set: onOff(func(v *settings) *exchange.Switch { return &v.modern }), Help: "HTTP/2 over TLS 1.2 and newer with good cipher suites alone"},
		{Name: "H2EarlyHints", Set: onOff(func(v *settings) *exchange.Switch { return &v.hints }), Help: "pass 103 Early Hints on"},
		{Name: "H2WebSockets", Set: onOff(func(v *settings) *exchange.Switch { return &v.sockets }), Help: "WebSockets on streams of HTTP/2, by members of HTTP/1.1"},
		{Name: "H2Padding", Partial: "DATA frames alone are padded", Set: setPadding, Help: "bytes of padding in frames: 0 to 2 to the power of this, less one"},
		{Name: "H2EarlyHint", Set: addHint, Help: "a field of a 103 Early Hints of our own"},
		{Name: "H2PushResource", Set: addResource, Help: "a Link field of a 103 Early Hints of our own; nothing is pushed"},
	}, ignored)}
}

const noThreads = "streams take no threads here: it changes only what the manager shows as max"

// setter is a directive's Set.
type setter = func(*directive.Scope, directive.Args) error

func number(least int, complaint string, field func(*settings) *directive.Opt[int]) setter {
	return func(s *directive.Scope, a directive.Args) error {
		n := int(int32(directive.Atoi(a.Words[0]))) // a C int
		if n < least {
			return errors.New(complaint)
		}
		field(servers.In(s)).Set(n)
		return nil
	}
}

func onOff(field func(*settings) *exchange.Switch) setter {
	return func(s *directive.Scope, a directive.Args) (err error) {
		*field(servers.In(s)), err = switchOf(a.Words[0])
		return err
	}
}

func switchOf(word string) (exchange.Switch, error) {
	switch strings.ToLower(word) {
	case "on":
		return exchange.On, nil
	case "off":
		return exchange.Off, nil
	}
	return exchange.Unset, errors.New("value must be On or Off")
}

func setTimeout(s *directive.Scope, a directive.Args) error {
	d, err := directive.Duration(a.Words[0], time.Second)
	if err != nil {
		return errors.New("Invalid timeout value")
	}
	servers.In(s).timeout.Set(d)
	return nil
}

func setPadding(s *directive.Scope, a directive.Args) error {
	n := directive.Atoi(a.Words[0])
	switch {
	case n < 0:
		return errors.New("number of bits must be >= 0")
	case n > 8:
		return errors.New("number of bits must be <= 8")
	}
	servers.In(s).padding.Set(n)
	return nil
}

func setUpgrade(s *directive.Scope, a directive.Args) (err error) {
	dirs.In(s).upgrade, err = switchOf(a.Words[0])
	return err
}

func addHint(s *directive.Scope, a directive.Args) error {
	name, value := a.Words[0], strings.TrimLeft(a.Words[1], " \t\r\n\v\f")
	switch {
	case name == "":
		return errors.New("Early Hint header name must not be empty")
	case a.Words[1] == "":
		return errors.New("Early Hint header value must not be empty")
	case value == "":
		return errors.New("Early Hint header value must not be empty/only space")
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return errors.New("Early Hint header value contains invalid characters")
	}
	d := dirs.In(s)
	d.hints = append(d.hints, exchange.Field{Name: name, Value: value})
	return nil
}

// addResource is H2PushResource [add] path [critical].
func addResource(s *directive.Scope, a directive.Args) error {
	w := a.Words
	if strings.EqualFold(w[0], "add") && len(w) > 1 {
		w = w[1:]
	} else if len(w) > 2 {
		return errors.New("too many parameter")
	}
	link := "<" + w[0] + ">; rel=preload"
	if len(w) > 1 {
		if !strings.EqualFold(w[1], "critical") {
			return errors.New("unknown last parameter")
		}
		link += "; critical"
	}
	d := dirs.In(s)
	d.links = append(d.links, exchange.Field{Name: "Link", Value: link})
	return nil
}
