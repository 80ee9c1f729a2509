package mime

import "strings"

// withCharset puts the charset of AddCharset into a media type: in the place of one that is there, else
// at the end. A type that is no type stays as it is (httpd: mod_mime.c analyze_ct, find_ct).
func withCharset(mediaType, charset string) string {
	if mediaType == "" || charset == "" && !strings.ContainsAny(mediaType, "; \t") {
		return mediaType
	}
	base, params, ok := splitType(mediaType)
	if !ok {
		return mediaType
	}
	placed := charset == ""
	for _, p := range params {
		name, _, _ := strings.Cut(p, "=")
		switch {
		case charset == "" || name != "charset":
			base += "; " + p
		case !placed:
			base += "; charset=" + charset
			placed = true
		}
	}
	if !placed {
		base += "; charset=" + charset
	}
	return base
}

// splitType is "a/b" and the parameters "x=y" of a media type, blanks around them removed.
func splitType(s string) (base string, params []string, ok bool) {
	parts := splitQuoted(s)
	major, minor, ok := strings.Cut(parts[0], "/")
	major, minor = strings.TrimSpace(major), strings.TrimSpace(minor)
	if !ok || major == "" || minor == "" {
		return "", nil, false
	}
	for _, p := range parts[1:] {
		name, value, has := strings.Cut(p, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !has || name == "" || value == "" {
			return "", nil, false
		}
		params = append(params, name+"="+value)
	}
	return major + "/" + minor, params, true
}

// splitQuoted cuts at semicolons outside quotes.
func splitQuoted(s string) []string {
	var out []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}
