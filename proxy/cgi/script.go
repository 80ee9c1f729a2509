package cgi

import (
	"strings"

	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// script adds what part of the path is the script's, and what is behind it.
func (b *Builder) script(x *exchange.Exchange, info string) {
	if info == "" {
		b.add("SCRIPT_NAME", x.Req.Path)
		return
	}
	b.add("SCRIPT_NAME", x.Req.Path[:infoAt(x.Req.Path, info)])
	b.add("PATH_INFO", info)
	if file := translated(x, info); file != "" {
		b.add("PATH_TRANSLATED", file)
	}
}

// infoAt is where in path the text begins that it has in common with info at their ends, from a slash on. A run of
// slashes in path is as good as one (httpd: util_script.c ap_find_path_info).
func infoAt(path, info string) int {
	i, k := len(path)-1, len(info)-1
	for i >= 0 && k >= 0 && path[i] == info[k] {
		if info[k] == '/' {
			for i > 0 && path[i-1] == '/' {
				i--
			}
		}
		i--
		k--
	}
	for i = max(i, 0); i < len(path) && path[i] != '/'; {
		i++
	}
	return i
}

// translated is what info is mapped to as a path of its own: a file; "" for what is a member's.
func translated(x *exchange.Exchange, info string) string {
	h := site.HostOf(x)
	if h == nil {
		return ""
	}
	y, _ := h.LookUp(x, exchange.EscapePath(info))
	defer y.Finish()
	if y.Filename == "" || y.Forwarded() {
		return ""
	}
	return strings.Clone(y.Filename + y.PathInfo)
}
