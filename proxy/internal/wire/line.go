package wire

import "strings"

// parseLine reads a request line. What is well-formed takes the short way; anything else is looked at
// the way httpd does, for what it is to be called and whether Unsafe lets it pass.
func (r *Request) parseLine(line []byte, rules *Rules) error {
	r.Line = view(line)
	i := 0
	for i < len(line) && classes[line[i]]&isToken != 0 {
		i++
	}
	j := i + 1
	for j < len(line) && classes[line[j]]&isText != 0 {
		j++
	}
	if i == 0 || j <= i+1 || j+9 != len(line) || line[i] != ' ' || line[j] != ' ' || !r.version(line[j+1:]) {
		return r.oddLine(rules)
	}
	r.Method, r.Target = view(line[:i]), view(line[i+1:j])
	return r.understand(rules)
}

// version reads HTTP/d.d, the first digit not 0.
func (r *Request) version(p []byte) bool {
	if len(p) != 8 || string(p[:5]) != "HTTP/" || p[5] < '1' || p[5] > '9' || p[6] != '.' || p[7] < '0' || p[7] > '9' {
		return false
	}
	r.Major, r.Minor = int(p[5]-'0'), int(p[7]-'0')
	return true
}

// lineFault is what is wrong with a request line; the first one found counts.
type lineFault uint8

const (
	lineFine lineFault = iota
	badMethod
	badBlank
	excessBlank
	missingTarget
	badTarget
	badProtocol
	trailingText
	badMethod09
	reject09
)

// oddLine splits a line that is not made of three words and two blanks
// (httpd: protocol.c ap_parse_request_line).
func (r *Request) oddLine(rules *Rules) error {
	s := lineSplitter{rest: r.Line, strict: !rules.Unsafe}
	s.leading()
	r.Method = s.method()
	r.Target = s.target()
	protocol := s.protocol()
	switch {
	case r.version([]byte(protocol)):
	case len(protocol) == 8 && r.version([]byte("HTTP"+protocol[4:])) && EqualFold(protocol[:4], "HTTP"):
		if s.strict {
			s.fail(badProtocol)
		}
	case protocol != "":
		r.Major, r.Minor = 1, 0
		s.fail(badProtocol)
	default:
		r.Major, r.Minor = 0, 9
	}
	if r.Major == 0 && s.fault == lineFine {
		s.simple(r.Method, rules)
	}
	if s.fault != lineFine {
		if r.Major == 0 {
			r.Major, r.Minor = 1, 0
		}
		return s.refusal(r, protocol)
	}
	return r.understand(rules)
}

// lineSplitter takes a request line apart and remembers the first fault.
type lineSplitter struct {
	rest   string
	strict bool
	over   bool // the line ended: what follows is empty
	extra  string
	fault  lineFault
}

func (s *lineSplitter) fail(f lineFault) {
	if s.fault == lineFine {
		s.fault = f
	}
}

func blank(c byte) bool { return classes[c]&isSpace != 0 }

func (s *lineSplitter) leading() {
	if s.rest != "" && blank(s.rest[0]) {
		s.fail(badBlank)
		s.rest = strings.TrimLeft(s.rest, " \t\n\v\f\r")
	}
}

func (s *lineSplitter) method() string {
	want := isText
	if s.strict {
		want = isToken
	}
	end := 0
	for end < len(s.rest) && classes[s.rest[end]]&want != 0 {
		end++
	}
	if end == 0 || end < len(s.rest) && !blank(s.rest[end]) {
		s.fail(badMethod)
		end = wordEnd(s.rest, end)
	}
	word := s.take(end)
	if s.over || s.rest == "" {
		s.fail(missingTarget)
	}
	return word
}

func (s *lineSplitter) target() string {
	if s.over {
		return ""
	}
	end := 0
	for end < len(s.rest) && classes[s.rest[end]]&isText != 0 {
		end++
	}
	if end == 0 || end < len(s.rest) && !blank(s.rest[end]) {
		s.fault = badTarget
		end = wordEnd(s.rest, end)
	}
	return s.take(end)
}

func (s *lineSplitter) protocol() string {
	if s.over {
		return ""
	}
	end := 0
	for end < len(s.rest) && classes[s.rest[end]]&isText != 0 {
		end++
	}
	word, rest := s.rest[:end], s.rest[end:]
	switch {
	case rest != "" && !blank(rest[0]):
		s.fault = badProtocol
	case rest != "" && s.strict:
		s.fault = excessBlank
	default:
		if s.extra = strings.TrimLeft(rest, " \t\n\v\f\r"); s.extra != "" {
			s.fail(trailingText)
		} else if strings.Trim(rest, " ") != "" {
			s.fail(badBlank)
		}
	}
	return word
}

// wordEnd is the next blank from a place on.
func wordEnd(s string, from int) int {
	if i := strings.IndexAny(s[from:], " \t\n\v\f\r"); i >= 0 {
		return from + i
	}
	return len(s)
}

// take cuts a word and the blanks behind it off. Strict wants one blank, and both want no other kind.
func (s *lineSplitter) take(end int) string {
	word, rest := s.rest[:end], s.rest[end:]
	if rest == "" {
		s.over, s.rest = true, ""
		return word
	}
	if s.strict && len(rest) > 1 && blank(rest[1]) {
		s.fail(excessBlank)
	}
	i := 0
	for i < len(rest) && blank(rest[i]) {
		if rest[i] != ' ' {
			s.fail(badBlank)
		}
		i++
	}
	s.rest = rest[i:]
	return word
}

// simple decides whether a line without a protocol is an HTTP/0.9 request that is let in.
func (s *lineSplitter) simple(method string, rules *Rules) {
	switch {
	case !rules.Allow09:
		s.fail(reject09)
	case s.strict && method != "GET":
		s.fail(badMethod09)
	}
}

// refusal words a fault (httpd: protocol.c ap_parse_request_line).
func (s *lineSplitter) refusal(r *Request, protocol string) error {
	const at = "HTTP Request Line; "
	text := ""
	switch s.fault {
	case badMethod:
		text = "AH03445: " + at + "Invalid method token: '" + clip(r.Method) + "'"
	case badMethod09:
		text = "AH03444: " + at + "Invalid method token: '" + clip(r.Method) + "' (only GET is allowed for HTTP/0.9 requests)"
	case missingTarget:
		text = "AH03446: " + at + "Missing URI"
	case badTarget:
		text = "AH03454: " + at + "URI incorrectly encoded: '" + clip(r.Target) + "'"
	case badBlank:
		text = "AH03447: " + at + "Invalid whitespace"
	case excessBlank:
		text = "AH03448: " + at + "Excess whitespace (disallowed by HttpProtocolOptions Strict)"
	case trailingText:
		text = "AH03449: " + at + "Extraneous text found '" + clip(s.extra) + "' (perhaps whitespace was injected?)"
	case reject09:
		text = "AH02401: " + at + "Rejected HTTP/0.9 request"
	case badProtocol:
		text = "AH02418: " + at + "Unrecognized protocol '" + clip(protocol) + "' (perhaps whitespace was injected?)"
	}
	return refuse(400, Debug, text)
}

// clip bounds a text for the log.
func clip(s string) string { return s[:min(len(s), 80)] }

// understand takes the target apart once the line is.
func (r *Request) understand(rules *Rules) error {
	fault := r.parseTarget(rules)
	switch {
	case rules.Registered && !Registered(r.Method):
		return refuse(501, Debug, "AH02423: HTTP Request Line; Unrecognized HTTP method: '", clip(r.Method), "' (disallowed by RegisteredMethods)")
	case fault == badURI:
		return refuse(400, Debug, "AH03450: HTTP Request Line; Unable to parse URI: '", clip(r.RawPath), "'")
	case fault == hasFragment && !rules.Unsafe:
		return refuse(400, Debug, "AH02421: HTTP Request Line; URI must not contain a fragment")
	case fault == hasUser && !rules.Unsafe:
		return refuse(400, Debug, "AH02422: HTTP Request Line; URI must not contain a username/password")
	}
	return nil
}

// Registered reports whether httpd knows a method (httpd: http_protocol.c lookup_builtin_method).
func Registered(method string) bool {
	switch method {
	case "GET", "HEAD", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE",
		"LOCK", "UNLOCK", "VERSION-CONTROL", "CHECKOUT", "UNCHECKOUT", "CHECKIN", "UPDATE", "LABEL", "REPORT", "MKWORKSPACE", "MKACTIVITY",
		"BASELINE-CONTROL", "MERGE":
		return true
	}
	return false
}
