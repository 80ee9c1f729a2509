package upstream

// matchServlet matches as a servlet container maps its contexts: parameters are left out of account
// and "." and ".." work behind them too. rest is where in path the text for the member begins, plain
// the path without parameters; ok is false without a match (httpd: mod_proxy.c alias_match_servlet).
func matchServlet(path, prefix string) (rest int, plain string, ok bool) {
	if path == "" || path[0] != '/' || prefix == "" || prefix[0] != '/' {
		return 0, "", false
	}
	m := servletMatch{path: path, prefix: prefix, at: 1, want: 1, first: 1, plain: append(make([]byte, 0, len(path)), '/')}
	for m.at < len(path) {
		switch {
		case path[m.at] == ';':
			m.skipTo('/')
		case m.between() && path[m.at] == '/':
			m.at++
		case m.between() && m.dots() == 1:
			m.pass(1)
		case m.between() && m.dots() == 2:
			if !m.climb() {
				return 0, "", false
			}
		default:
			m.step()
		}
	}
	if !m.complete() {
		return 0, "", false
	}
	return m.rest(), string(m.plain), true
}

// servletMatch is a walk along a path with a prefix beside it. httpd pairs the prefix's segments with the
// path's as it goes, and goes back by one in both at each "..": not always to where it came from, so that
// "/abc/..;/x" is taken for "/pub/x". Only the same walk maps every path as httpd does.
type servletMatch struct {
	path, prefix string
	at, want     int    // where we are in path and in prefix
	plain        []byte // the path so far, without parameters
	first        int    // where the text of the next segment begins, with the slashes in front of it; 0: at its name
	open         []int  // the segments that plain has: where the text of each begins; 0: it is not the prefix's; below 0: its parameters begin at the opposite
	depth        int    // how many of them are paired with the prefix's
}

// between reports whether a segment begins here.
func (m *servletMatch) between() bool { return m.plain[len(m.plain)-1] == '/' }

func (m *servletMatch) skipTo(c byte) {
	for m.at < len(m.path) && m.path[m.at] != c {
		m.at++
	}
}

// dots is 1 for a segment ".", 2 for "..", with parameters or without, 0 for others.
func (m *servletMatch) dots() int {
	n := 0
	for m.at+n < len(m.path) && n < 3 && m.path[m.at+n] == '.' {
		n++
	}
	if end := m.at + n; n < 3 && (end == len(m.path) || m.path[end] == '/' || m.path[end] == ';') {
		return n
	}
	return 0
}

// pass leaves n dots and a slash behind.
func (m *servletMatch) pass(n int) {
	m.at += n
	if m.at < len(m.path) && m.path[m.at] == '/' {
		m.at++
	}
}

// climb takes the last segment back; false at the root.
func (m *servletMatch) climb() bool {
	if len(m.plain) == 1 {
		return false
	}
	for m.plain = m.plain[:len(m.plain)-1]; !m.between(); {
		m.plain = m.plain[:len(m.plain)-1]
	}
	if m.depth == len(m.open) {
		m.rewind()
	}
	m.open = m.open[:len(m.open)-1]
	m.first = 0
	m.pass(2)
	return true
}

// rewind goes back in the prefix, to the beginning of a segment.
func (m *servletMatch) rewind() {
	if m.want == len(m.prefix) {
		m.want--
	}
	for m.want > 1 && m.prefix[m.want] == '/' {
		m.want--
	}
	for m.want > 1 && m.prefix[m.want-1] != '/' {
		m.want--
	}
	m.depth--
}

// step takes one byte of a segment.
func (m *servletMatch) step() {
	if m.between() {
		m.enter()
	}
	if m.want < len(m.prefix) {
		m.compare()
	}
	if m.path[m.at] == '/' {
		m.first = m.at + 1
	}
	m.plain = append(m.plain, m.path[m.at])
	m.at++
}

// enter opens a segment, and goes to the prefix's next.
func (m *servletMatch) enter() {
	start := m.at
	if m.first > 0 {
		for m.path[m.first] == '/' {
			m.first++
		}
		start = m.first
	}
	m.open = append(m.open, start)
	if m.want == len(m.prefix) {
		return
	}
	for m.want < len(m.prefix) && m.prefix[m.want-1] != '/' {
		m.want++
	}
	for m.want < len(m.prefix) && m.prefix[m.want] == '/' {
		m.want++
	}
	if m.want < len(m.prefix) {
		m.depth++
	}
}

// compare holds a byte against the prefix's. At a slash of the prefix it waits for the path's.
func (m *servletMatch) compare() {
	segment, c := &m.open[m.depth-1], m.prefix[m.want]
	switch {
	case *segment == 0:
	case c != m.path[m.at]:
		*segment = 0
	case m.want+1 == len(m.prefix) && c != '/':
		*segment = m.lastSegment(*segment)
	}
	if c != '/' || m.path[m.at] == '/' {
		m.want++
	}
}

// lastSegment is what is known of the prefix's last segment at its last byte.
func (m *servletMatch) lastSegment(start int) int {
	switch next := m.at + 1; {
	case next == len(m.path), m.path[next] == '/':
		return start
	case m.path[next] == ';':
		return -next
	}
	return 0
}

// complete reports whether each segment of the prefix was met.
func (m *servletMatch) complete() bool {
	if m.want < len(m.prefix) {
		return false
	}
	for _, start := range m.open[:m.depth] {
		if start == 0 {
			return false
		}
	}
	return true
}

// rest is where the member's part begins. Parameters of the prefix's last segment go along when something
// follows it. A prefix without a slash at its end takes the path's.
func (m *servletMatch) rest() int {
	rest := m.at
	if m.depth < len(m.open) {
		rest = m.open[m.depth]
		if m.depth > 0 && m.open[m.depth-1] < 0 {
			rest = -m.open[m.depth-1]
		}
	}
	if m.prefix[m.want-1] != '/' && m.path[rest-1] == '/' {
		rest--
	}
	return rest
}
