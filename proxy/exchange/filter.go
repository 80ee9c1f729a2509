package exchange

import "slices"

// Filter is one thing that is done to the message of an exchange on its way: to the request's before the
// handler gets it, to the answer's before the client does. See package site for how one is written.
type Filter struct {
	Module, Name string // "deflate", "DEFLATE"
	Kind         FilterKind
	Pages        bool // of answers: own pages in place of errors and redirects pass through it, too
	Stays        bool // put in by a step: it stays when another path is served in place of the one that it was put in for
	Resumes      bool // an answer with Cached set was kept here: Do clears that, and what comes behind acts on it again
	// Do edits the head (x.Req or x.Res) and puts a body of its own in the place of the one that is there,
	// or lets both be. It is called once a message, before anything of it is sent. An error is the answer.
	Do Step
}

// FilterKind is a filter's place: an answer passes through the filters of a smaller kind first, and through
// those of one kind in the order in which they were put in; a request's body the other way around. Between those below there is room for others, as
// in httpd (util_filter.h ap_filter_type).
type FilterKind int8

// The kinds that httpd has. Header's edits of an answer come behind those up to ContentSet, byte ranges before
// those of Protocol.
const (
	Resource   FilterKind = 10 // changes contents: SUBSTITUTE, proxy-html
	ContentSet FilterKind = 20 // changes how contents are coded: DEFLATE
	Protocol   FilterKind = 30 // of HTTP: what own pages pass through, too
	Transcode  FilterKind = 40
	Connection FilterKind = 50
	Network    FilterKind = 60
)

// AddInput puts a filter into the request's way, AddOutput into the answer's: for steps that decide it for
// this exchange alone. They must run before the handler.
func (x *Exchange) AddInput(f Filter) { x.InputFilters = InsertFilter(x.InputFilters, f) }

// AddOutput is said at AddInput.
func (x *Exchange) AddOutput(f Filter) { x.OutputFilters = InsertFilter(x.OutputFilters, f) }

// ResetFilters takes out what steps have put in, but for filters that stay: another path is served in place of the one
// that they decided for.
func (x *Exchange) ResetFilters() {
	leaves := func(f Filter) bool { return !f.Stays }
	x.InputFilters = slices.DeleteFunc(x.InputFilters, leaves)
	x.OutputFilters = slices.DeleteFunc(x.OutputFilters, leaves)
}

// dropFilters takes out all.
func (x *Exchange) dropFilters() {
	clear(x.InputFilters)
	clear(x.OutputFilters)
	x.InputFilters, x.OutputFilters = x.InputFilters[:0], x.OutputFilters[:0]
}

// staying adds those of mine that stay to list.
func staying(list, mine []Filter) []Filter {
	for _, f := range mine {
		if f.Stays {
			list = InsertFilter(list, f)
		}
	}
	return list
}

// InsertFilter puts f behind those of list that have its kind or a smaller one.
func InsertFilter(list []Filter, f Filter) []Filter {
	i := len(list)
	for i > 0 && list[i-1].Kind > f.Kind {
		i--
	}
	return slices.Insert(list, i, f)
}

// ChangesLength says that a filter changes how long the request's body is: what was said of it no longer
// holds. A member is told the new length if the client told one.
func (r *Request) ChangesLength() {
	r.TellLength = r.TellLength || r.Length >= 0
	r.Length = -1
	r.Header.Del("Content-Length")
	r.Header.Del("Content-MD5")
}

// ChangesLength says that a filter changes how long the answer's body is.
func (r *Response) ChangesLength() {
	r.Length = -1
	r.Header.Del("Content-Length")
	r.Header.Del("Content-MD5")
}
