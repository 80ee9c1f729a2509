package expires

import (
	"context"
	"net/http"
	"strings"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// do dates an answer (httpd: mod_expires.c expires_filter).
func (s *settings) do(_ context.Context, x *exchange.Exchange) error {
	r := &x.Res
	if r.Status >= 400 || r.Always.Has("Expires") || r.Header.Has("Expires") {
		return nil
	}
	c, ok := s.find(site.ContentType(x))
	if !ok {
		return nil
	}
	now := x.Start
	base := now
	if c.modified {
		var err error
		if base, err = http.ParseTime(r.Header.Get("Last-Modified")); err != nil || r.Proxied || x.FileType != exchange.Regular {
			return nil // httpd knows of files alone when they were changed
		}
	}
	at := base.Add(time.Duration(c.seconds) * time.Second)
	if at.Before(now) {
		at = now
	}
	r.Header.Merge("Cache-Control", x.Arena.Join("max-age=", x.Arena.Int(int64(at.Sub(now)/time.Second))))
	r.Header.Set("Expires", string(at.UTC().AppendFormat(make([]byte, 0, len(http.TimeFormat)), http.TimeFormat)))
	return nil
}

// find is the code of a media type: its own, that of all of its kind, else the default.
func (s *settings) find(mediaType string) (code, bool) {
	name, _, _ := strings.Cut(mediaType, ";")
	name = strings.ToLower(strings.TrimRight(name, " \t"))
	if c, ok := s.types[name]; ok {
		return c, true
	}
	if major, _, ok := strings.Cut(name, "/"); ok && s.wildcards {
		if c, ok := s.types[major+"/*"]; ok {
			return c, true
		}
	}
	return s.others.Get()
}
