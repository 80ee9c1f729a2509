package site

import (
	"bytes"
	"strings"

	"balancerd/proxy/exchange"
)

// pathFlags say how normalize treats a path.
type pathFlags uint8

const (
	mergeSlashes     pathFlags = 1 << iota // "//" is "/"
	decodeUnreserved                       // %41 becomes A, for letters, digits and -._~
)

// flagsOf are those of a host's paths.
func flagsOf(s *exchange.Server) pathFlags {
	if s.MergeSlashes {
		return decodeUnreserved | mergeSlashes
	}
	return decodeUnreserved
}

// normalize removes "." and ".." segments and does what the flags say. ok is false when the path does
// not begin with a slash, climbs above the root, or has a broken %XX, and out is what the log shows then.
// What climbs stays at the root: out never leaves it (RFC 3986 section 5.2.4; httpd: util.c ap_normalize_path).
func normalize(a *exchange.Arena, path string, f pathFlags) (out string, ok bool) {
	if path == "" || path[0] != '/' {
		return path, false
	}
	if plain(path) {
		return path, true
	}
	b, ok := append(a.Scratch(len(path)), '/'), true
	for rest, more := path[1:], true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		switch dots(segment, f) {
		case 1:
		case 2:
			if len(b) <= 1 {
				ok = false
			} else {
				b = b[:bytes.LastIndexByte(b[:len(b)-1], '/')+1]
			}
		default:
			valid := true
			b, valid = appendSegment(b, segment, f)
			ok = ok && valid
			if more && (f&mergeSlashes == 0 || b[len(b)-1] != '/') {
				b = append(b, '/')
			}
		}
	}
	return a.Keep(b), ok
}

// appendSegment appends a segment, its unreserved characters decoded if the flags say so. valid is false when
// one has a broken %XX.
func appendSegment(b []byte, segment string, f pathFlags) (_ []byte, valid bool) {
	if f&decodeUnreserved == 0 {
		return append(b, segment...), true
	}
	valid = true
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		if c == '%' {
			v, good := hexPair(segment, i)
			valid = valid && good
			if good && unreserved(v) {
				c = v
				i += 2
			}
		}
		b = append(b, c)
	}
	return b, valid
}

// dots is 1 for the segment ".", 2 for "..", 0 for any other. Dots may be written as %2e when unreserved
// characters are decoded.
func dots(segment string, f pathFlags) (n int) {
	for n < 2 && segment != "" {
		switch {
		case segment[0] == '.':
			segment = segment[1:]
		case f&decodeUnreserved != 0 && len(segment) >= 3 && segment[:2] == "%2" && segment[2]|0x20 == 'e':
			segment = segment[3:]
		default:
			return 0
		}
		n++
	}
	if segment != "" {
		return 0
	}
	return n
}

// plain tells that nothing in a path wants normalising: the usual case, without a copy.
func plain(path string) bool {
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '%':
			return false
		case '/':
			if i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '.') {
				return false
			}
		}
	}
	return true
}

// unescapeResult is what decode found.
type unescapeResult uint8

const (
	decoded  unescapeResult = iota
	badHex                  // 400
	nulFound                // %00: 404
	slashes                 // %2F while AllowEncodedSlashes is Off: 404
)

// decode takes %XX apart. %2F is refused (SlashesOff: the path is decoded all the same, for the error's page), decoded (On) or kept as it is (NoDecode);
// under NoDecode "%25" that is followed by a hex pair of a slash stays encoded too, so that a member
// never sees a slash that the client did not send (httpd: util.c unescape_url).
func decode(a *exchange.Arena, path string, mode exchange.SlashMode) (string, unescapeResult) {
	if strings.IndexByte(path, '%') < 0 {
		return path, decoded
	}
	b := a.Scratch(len(path))
	how := decoded
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c != '%' {
			b = append(b, c)
			continue
		}
		v, ok := hexPair(path, i)
		switch {
		case mode == exchange.SlashesNoDecode && keptSlash(path[i+1:]):
			b = append(b, c)
			continue
		case !ok:
			return path, badHex
		case v == 0:
			return path, nulFound
		case v == '/' && mode == exchange.SlashesOff:
			how = slashes
			b = append(b, '/')
		default:
			b = append(b, v)
		}
		i += 2
	}
	return a.Keep(b), how
}

// keptSlash reports whether what follows a "%" makes it an encoded slash: 2f, or 252f for an encoded
// "%2f", and so on.
func keptSlash(s string) bool {
	for strings.HasPrefix(s, "25") {
		s = s[2:]
	}
	return len(s) >= 2 && s[0] == '2' && s[1]|0x20 == 'f'
}

func hexPair(s string, i int) (byte, bool) {
	if i+2 >= len(s) {
		return 0, false
	}
	hi, ok1 := hexDigit(s[i+1])
	lo, ok2 := hexDigit(s[i+2])
	return hi<<4 | lo, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~'
}
