package fcgi

import (
	"net/url"
	"os"
	"strings"

	"balancerd/proxy/cgi"
	"balancerd/proxy/exchange"
)

const prefix = "proxy:"

// script finds out what SCRIPT_FILENAME and PATH_INFO are (httpd: mod_proxy_fcgi.c proxy_fcgi_canon, send_environment).
// PHP-FPM knows the form "proxy:fcgi://host/file", and makes sense of what may stand behind the file; others get the
// file alone.
func (c *codec) script(r *cgi.Request) *Settings {
	x := c.x
	set, kind := Of(x)
	r.PathInfo, r.Filename = x.PathInfo, x.Arena.Join(prefix, x.Out.URL)
	if kind != "" && !x.Out.Balanced {
		var file string
		if r.PathInfo, file = c.guess(kind); file != "" {
			r.Filename = file
			return set
		}
	}
	if set.Generic {
		r.Filename = withoutHost(r.Filename)
	}
	return set
}

// withoutHost is the path of "proxy:fcgi://host/path".
func withoutHost(name string) string {
	i := strings.Index(name, "://")
	if i < 0 {
		return name
	}
	if k := strings.IndexByte(name[i+3:], '/'); k >= 0 {
		return name[i+3+k:]
	}
	return name
}

// guess is PATH_INFO as proxy-fcgi-pathinfo has it made of the member's path; by "full", which looks for the file on
// disk, the file as well.
func (c *codec) guess(kind string) (info, file string) {
	x, path := c.x, c.x.Out.Target
	switch {
	case exchange.EqualFold(kind, "full"):
		return c.find(unescaped(path))
	case exchange.EqualFold(kind, "first-dot"):
		return behind(path, strings.IndexByte(path, '.'), x.PathInfo), ""
	case exchange.EqualFold(kind, "last-dot"):
		return behind(path, strings.LastIndexByte(path, '.'), x.PathInfo), ""
	case exchange.EqualFold(kind, "unescape"):
		return unescaped(path), ""
	}
	return path, ""
}

// behind is what follows the script in a path, from the first slash behind its dot on, decoded. otherwise: there is no
// dot (-1), or no slash.
func behind(path string, dot int, otherwise string) string {
	if dot >= 0 {
		if slash := strings.IndexByte(path[dot:], '/'); slash >= 0 {
			return unescaped(path[dot+slash:])
		}
	}
	return otherwise
}

// unescaped is a path decoded, but for slashes that came encoded.
func unescaped(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	path = strings.ReplaceAll(strings.ReplaceAll(path, "%2f", "%252f"), "%2F", "%252F")
	if s, err := url.PathUnescape(path); err == nil {
		return s
	}
	return path
}

// find looks for the file that a path begins with, as it is or below the document root; "" and "" for none.
func (c *codec) find(path string) (info, file string) {
	for _, root := range [...]string{"", strings.TrimSuffix(c.x.Server.DocumentRoot, "/")} {
		if n := regular(c.x, root, path); n > 0 {
			return path[n:], root + path[:n]
		}
	}
	return "", ""
}

// regular is how much of a path below root names a file; 0 for none.
func regular(x *exchange.Exchange, root, path string) int {
	x.Block()
	for at := 1; at <= len(path); {
		n := len(path)
		if k := strings.IndexByte(path[at:], '/'); k >= 0 {
			n = at + k
		}
		fi, err := os.Stat(root + path[:n])
		switch {
		case err != nil:
			return 0
		case fi.Mode().IsRegular():
			return n
		case !fi.IsDir():
			return 0
		}
		at = n + 1
	}
	return 0
}
