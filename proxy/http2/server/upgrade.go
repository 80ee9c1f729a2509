package server

import (
	"encoding/base64"
	"encoding/binary"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/loop"
	"balancerd/proxy/internal/wire"
)

// First is the request that asked for HTTP/2 by Upgrade: h2c, and the settings that it bore (RFC 7540 section 3.2.1): the
// connection's first stream. Its texts are its own.
type First struct {
	method, target, authority string
	fields                    []hpack.HeaderField
	settings                  []byte
}

// FirstOf is the first stream of the connection of a request without a body; nil: its HTTP2-Settings are none.
func FirstOf(x *exchange.Exchange) *First {
	settings, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(x.Req.Header.Get("HTTP2-Settings"), "="))
	if err != nil || len(settings)%settingSize != 0 {
		return nil
	}
	first := &First{method: strings.Clone(x.Req.Method), target: strings.Clone(x.Req.Target), authority: strings.Clone(x.Req.Authority), settings: settings}
	for i := range x.Req.Header.F {
		f := &x.Req.Header.F[i]
		if wire.ConnectionField[f.ID] || f.ID == wire.Host || wire.EqualFold(f.Name, "HTTP2-Settings") {
			continue
		}
		first.fields = append(first.fields, hpack.HeaderField{Name: strings.ToLower(strings.Clone(f.Name)), Value: strings.Clone(f.Value)})
	}
	return first
}

const settingSize = 6

// upgrade takes a request that came by HTTP/1 as the first stream. false: its settings are wrong.
func (c *conn) upgrade(by *loop.Task, first *First) bool {
	c.by = by
	defer func() { c.by = nil }()
	c.mu.Lock()
	for p := first.settings; len(p) > 0; p = p[settingSize:] {
		id, value := http2.SettingID(binary.BigEndian.Uint16(p)), binary.BigEndian.Uint32(p[2:])
		if c.setting(http2.Setting{ID: id, Val: value}) != nil {
			c.mu.Unlock()
			return false
		}
	}
	c.newest, c.served = 1, 1
	c.past.add(1)
	c.mu.Unlock()
	scheme := "http"
	if c.info.Secure {
		scheme = "https"
	}
	st := c.s.stream(c, 1)
	pseudo := [...]hpack.HeaderField{{Name: ":method", Value: first.method}, {Name: ":scheme", Value: scheme}, {Name: ":path", Value: first.target}, {Name: ":authority", Value: first.authority}}
	for _, f := range pseudo {
		st.field(f)
	}
	for _, f := range first.fields {
		st.field(f)
	}
	return c.request(&block{kind: requestBlock, id: 1, st: st, end: true}) == nil
}
