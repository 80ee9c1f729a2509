package wire

// MergeFields makes one field of those of one name, at the place of the first (httpd: apr_table_compress): their
// values joined by ", ", cookies by "; ". What is longer than most, name and value together, is not merged: its
// name is returned, "" when all are.
func MergeFields(h *Header, most int) (long string) {
	f := fieldReader{h: h}
	for i := range h.F {
		f.note(h.F[i].Name)
	}
	if !f.dup {
		return ""
	}
	f.rules = &Rules{FieldSize: most}
	before := len(h.F)
	if f.finish() == nil {
		return ""
	}
	return longest(h.F[:before])
}

// longest is the name under which the most bytes of values stand.
func longest(list []Field) string {
	name, most := "", -1
	for i := range list {
		if n := len(list[i].Value); n > most {
			name, most = list[i].Name, n
		}
	}
	return name
}

// CompleteRequest is ParseRequest for a head that came as a line and fields apart, as HTTP/2's does: h holds the
// fields, each name once, and line is "GET /path HTTP/2.0". The error is a *Refusal; then r holds what was
// understood so far.
func CompleteRequest(line string, rules *Rules, r *Request, h *Header) error {
	*r = Request{}
	if err := r.parseLine(bytesOf(line), rules); err != nil {
		return err
	}
	for i := range h.F {
		r.Seen = r.Seen.with(h.F[i].ID)
	}
	if err := r.RequestFraming(h); err != nil {
		return err
	}
	if err := r.findHost(h, rules); err != nil {
		return err
	}
	return r.readConnectionFields(h)
}
