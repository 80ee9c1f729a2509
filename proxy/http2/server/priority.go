package server

import "strings"

// priority is how soon a stream's answer is sent (RFC 9218 section 4). The priorities of RFC 7540 are ignored, as
// RFC 9113 has it.
type priority struct {
	urgency     uint8 // 0 first, 7 last
	incremental bool  // it shares with others of its urgency; else it is sent as a whole before them
}

// usual is the priority of a stream whose client says nothing: such answers share the connection.
var usual = priority{urgency: 3, incremental: true}

// parsePriority reads a Priority field. What it does not understand it passes over.
func parsePriority(value string) priority {
	p := priority{urgency: 3}
	for value != "" {
		var item string
		item, value, _ = strings.Cut(value, ",")
		item, _, _ = strings.Cut(strings.Trim(item, " \t"), ";")
		switch key, v, named := strings.Cut(item, "="); {
		case key == "u" && len(v) == 1 && v[0] >= '0' && v[0] <= '7':
			p.urgency = v[0] - '0'
		case key == "i":
			p.incremental = !named || v == "?1"
		}
	}
	return p
}

// before reports whether a stream that waits goes before another one that began to wait earlier.
func (st *stream) before(other *stream) bool {
	p, q := st.priority, other.priority
	switch {
	case p.urgency != q.urgency:
		return p.urgency < q.urgency
	case p.incremental != q.incremental:
		return !p.incremental
	}
	return !p.incremental && st.id < other.id
}
