package site

import (
	"strconv"
	"strings"

	"balancerd/proxy/exchange"
)

// span is a part of a body: first and last byte, both included.
type span struct{ first, last int64 }

// outcome of reading a Range field.
type outcome uint8

const (
	whole         outcome = iota // none, not valid, or too many: the whole body
	partial                      // some spans
	unsatisfiable                // 416
)

// readRange reads a Range field for a body of size bytes. Spans that touch or overlap their predecessor are merged
// with it (httpd: byterange_filter.c ap_set_byterange).
func readRange(field string, size int64, max *exchange.Ranges) ([]span, outcome) {
	if len(field) < 6 || !exchange.EqualFold(field[:6], "bytes=") {
		return nil, whole
	}
	m := merger{size: size}
	if field = field[6:]; strings.HasPrefix(field, ",") {
		return nil, whole
	}
	for spec := range strings.SplitSeq(field, ",") {
		if spec == "" { // as if the commas were one
			continue
		}
		s, kind := parseSpan(spec, size)
		if kind == badSpan {
			return nil, whole
		}
		if kind == allSpan {
			m = merger{size: size}
			m.begin(s)
			break
		}
		m.add(s)
	}
	return m.result(max)
}

type spanKind uint8

const (
	badSpan spanKind = iota
	oneSpan
	allSpan // "0-": whatever else is asked for, it is the whole
)

// parseSpan reads "5-9", "5-" or "-5". The last byte may lie beyond the end.
func parseSpan(spec string, size int64) (span, spanKind) {
	from, to, ok := strings.Cut(spec, "-")
	if !ok {
		return span{}, badSpan
	}
	if from == "" {
		n, ok := length(to)
		if !ok || n < 1 {
			return span{}, badSpan
		}
		return span{max(size-n, 0), size - 1}, oneSpan
	}
	first, ok := length(from)
	if !ok {
		return span{}, badSpan
	}
	if to == "" {
		if first == 0 {
			return span{0, size - 1}, allSpan
		}
		return span{first, size - 1}, oneSpan
	}
	last, ok := length(to)
	if !ok || first > last {
		return span{}, badSpan
	}
	return span{first, last}, oneSpan
}

// length is a number of nothing but digits.
func length(s string) (int64, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// merger gathers spans, merging each with the one before where they meet.
type merger struct {
	size                int64
	done                []span
	open                span
	isOpen, outside     bool
	overlaps, reversals int
}

func (m *merger) begin(s span) { m.open, m.isOpen = s, true }

func (m *merger) add(s span) {
	if s.first >= m.size {
		m.outside = true
		return
	}
	s.last = min(s.last, m.size-1)
	if !m.isOpen {
		m.begin(s)
		return
	}
	if m.join(s) {
		m.overlaps++
		return
	}
	m.done = append(m.done, m.open)
	m.begin(s)
}

// join widens the open span by one that meets it.
func (m *merger) join(s span) bool {
	o := &m.open
	met := s.first >= o.first && s.last <= o.last
	if s.first < o.first && s.last >= o.first-1 {
		o.first, met = s.first, true
		m.reversals++
	}
	if s.last >= o.last && s.first <= o.last+1 {
		o.last, met = s.last, true
	}
	return met
}

func (m *merger) result(max *exchange.Ranges) ([]span, outcome) {
	if m.isOpen {
		m.done = append(m.done, m.open)
	}
	if len(m.done) == 0 {
		if m.outside {
			return nil, unsatisfiable
		}
		return nil, whole
	}
	sum := int64(0)
	for _, s := range m.done {
		sum += s.last - s.first + 1
	}
	over := func(n, bound int) bool { return bound >= 0 && n > bound }
	if sum > m.size || over(len(m.done), max.Most) || over(m.overlaps, max.Overlaps) || over(m.reversals, max.Reversals) {
		return nil, whole
	}
	return m.done, partial
}

// text is the span as Content-Range shows it, without the unit.
func (s span) text(size int64) string {
	b := strconv.AppendInt(make([]byte, 0, 48), s.first, 10)
	b = strconv.AppendInt(append(b, '-'), s.last, 10)
	return string(strconv.AppendInt(append(b, '/'), size, 10))
}
