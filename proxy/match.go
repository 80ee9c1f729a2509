package proxy

import "strings"

// matchPrefix is how many bytes of a path a ProxyPass path covers; 0 is no match. A run of slashes
// matches any run of slashes, and the match ends at a segment (httpd: mod_proxy.c alias_match).
func matchPrefix(path, prefix string) int {
	i, j := 0, 0
	for j < len(prefix) {
		if prefix[j] == '/' {
			if i == len(path) || path[i] != '/' {
				return 0
			}
			for j < len(prefix) && prefix[j] == '/' {
				j++
			}
			for i < len(path) && path[i] == '/' {
				i++
			}
			continue
		}
		if i == len(path) || path[i] != prefix[j] {
			return 0
		}
		i++
		j++
	}
	if j == 0 || prefix[j-1] != '/' && i < len(path) && path[i] != '/' {
		return 0
	}
	return i
}

// segment is one part of a path between slashes: its name, its end with ";parameters", and where the
// text that belongs to it begins: "." and empty segments in front of it go along to the member.
type segment struct{ from, start, name, end int }

// matchServlet matches as a servlet container maps its contexts: parameters are left out of account
// and "." and ".." work behind them too. rest is where in path the text for the member begins, plain
// the path without parameters; ok is false without a match (httpd: mod_proxy.c alias_match_servlet).
func matchServlet(path, prefix string) (rest int, plain string, ok bool) {
	segments, tail, ok := servletSegments(path)
	if !ok || prefix == "" || prefix[0] != '/' {
		return 0, "", false
	}
	wanted := strings.FieldsFunc(prefix, func(c rune) bool { return c == '/' })
	open := prefix[len(prefix)-1] != '/' // the prefix does not ask for a slash behind it
	n := len(wanted)
	if len(segments) < n || !open && n > 0 && len(segments) == n && !tail {
		return 0, "", false
	}
	for i, w := range wanted {
		if path[segments[i].start:segments[i].name] != w {
			return 0, "", false
		}
	}
	return servletRest(path, segments, n, open), servletPlain(path, segments, tail), true
}

// servletSegments are the segments that remain of a path; tail tells that it ends with a slash.
func servletSegments(path string) (list []segment, tail, ok bool) {
	from := -1
	for i := 0; i < len(path); {
		if path[i] == '/' {
			i, tail = i+1, true
			continue
		}
		if from < 0 {
			from = i
		}
		s := segment{from: from, start: i}
		for i < len(path) && path[i] != '/' {
			i++
		}
		s.end, s.name = i, i
		if k := strings.IndexByte(path[s.start:i], ';'); k >= 0 {
			s.name = s.start + k
		}
		switch path[s.start:s.name] {
		case ".", "":
			continue
		case "..":
			if len(list) == 0 {
				return nil, false, false
			}
			list, tail, from = list[:len(list)-1], true, -1
			continue
		}
		list, tail, from = append(list, s), false, -1
	}
	return list, tail, len(path) > 0 && path[0] == '/'
}

// servletRest is where the member's part begins behind n matched segments. Parameters of the last of
// them go along when something follows and the prefix has no slash at its end.
func servletRest(path string, list []segment, n int, open bool) int {
	rest := len(path)
	if len(list) > n {
		rest = list[n].from
		if last := n - 1; open && n > 0 && list[last].name < list[last].end {
			return list[last].name
		}
	}
	if open && rest > 0 && path[rest-1] == '/' {
		rest--
	}
	return rest
}

func servletPlain(path string, list []segment, tail bool) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteByte('/')
		b.WriteString(path[s.start:s.name])
	}
	if tail || len(list) == 0 {
		b.WriteByte('/')
	}
	return b.String()
}
