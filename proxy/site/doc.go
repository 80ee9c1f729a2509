// Package site turns a bound configuration into what the server does: virtual hosts, their sections,
// and one compiled Plan for each combination of sections that a request can meet.
//
//	directive.Config --Build--> Site (immutable, swapped as a whole)
//
//	one exchange:
//
//	 address, Host --> Host            host.go     which virtual host
//	      |
//	    Early                          serve.go    before anything is known of the path
//	      |
//	 decode, normalise                 path.go     /a//b/../%41 -> /a/A
//	      |
//	 <Location> walk --> Plan 1        section.go  which sections match; chain.go: their plan
//	      |
//	 PreTranslate, Translate           proxy? alias? a file?
//	      |
//	 <Directory> and .htaccess, <Files>, or <Proxy>; <Location>, <If> --> Plan 2      access.go
//	      |
//	 Parse Access Types Fixup Insert   run.go      (an error anywhere: fail.go, page.go)
//	      |
//	 Input filters, the handler        filter.go   the request's body; who answers
//	      |
//	 Output filters, Reply, a range    filter.go   the answer's head and body
//	      |
//	 the client gets it, then Log      Done
//
// # Filters
//
// A filter is a step (exchange.Filter.Do) that is run once a message, when its head is there and nothing of it
// was sent: of a request before the handler gets it, and only if it has a body; of an answer before the client
// gets it, whoever made it. It looks at the head, and at variables like no-gzip, and decides: either it
// returns nil and has nothing to do with this message, or it edits the head and puts a body of its own in the
// place of x.Res.Body (x.Req.Body), which reads the former one. A filter that is not in force costs nothing, one
// that stands aside costs its own look: the body stays the member's own, which is spliced.
//
// Order. Filters run by kind (exchange.FilterKind), within a kind in the order in which they were put in. What runs
// first gets the body as the handler made it:
//
//	9              INFLATE
//	Resource 10    SUBSTITUTE, Sed, proxy-html
//	18             expiry dates: edits the head alone; exchange.Filter.Pages has it see own pages, too
//	ContentSet 20  DEFLATE, BROTLI_COMPRESS, BUFFER
//	               the Reply phase: Header sees what those above have made of the head
//	21             what stores an answer for a cache
//	               Range: cut out of what came so far (range.go)
//	Protocol 30    from here on own pages in place of errors and redirects pass, too
//	Connection 50  49 is RATE_LIMIT's
//
// A request's body passes the other way around, DEFLATE before Sed: in httpd each filter reads from the next one.
//
// Bodies. A filter's body streams: it holds a piece, never the whole, and does not wait for more while it has
// something that it could give. Helpers of package exchange see to that. Rewritten takes what is like a
// gzip.Writer: it is written to, and told to flush before the member would be waited for. Through takes an io.Reader
// over the former body; ThroughBody does so for requests. Pulled makes a Rewriter of a function that reads and writes.
//
//	func squeeze(_ context.Context, x *exchange.Exchange) error {
//		r := &x.Res
//		if x.Env.Has("no-gzip") || r.Header.Has("Content-Encoding") {
//			return nil
//		}
//		r.Header.Set("Content-Encoding", "gzip")
//		r.ChangesLength()
//		if r.Body != nil && !x.HeadOnly {
//			r.Body = exchange.Rewritten(r.Body, func(out io.Writer) exchange.Rewriter { return gzip.NewWriter(out) })
//		}
//		return nil
//	}
//
// Length. r.Length is what the client is told, -1 for unknown; ChangesLength sets it and takes the fields
// away that no longer hold. If all of what the filters make is at hand before the head is sent it is
// counted; else the body is chunked, or its end is the connection's. Head requests and 304 have no body (r.Body
// may be nil) and get the same head. A filter that must read some of the body first, to find a charset or to see
// whether it is long enough, does so in its step. What an answer's body has behind it (r.Trailer) is there when
// its source was read to its end, and passes by itself.
//
// Errors. One of the step is the answer, as any step's. One of a body's Read breaks the answer off: the client
// must not take it for whole; of a request's body it is answered by the Status that it is, else 400.
//
// A wait that is not a read of the former body, and a computation that is long for one piece, call x.Block first.
//
// In force. A module's Builder makes its filter known by Plan.OutputFor (InputFor), with the settings of its chain in
// Do. Any Builder puts it into the way of all that a plan holds for by its name, Plan.AddOutput (AddInput):
// SetOutputFilter is not the module of the filter that it names. UseOutput puts one in without a name. A step, in any phase up to Fixup, puts one into
// this exchange's way alone by x.AddOutput; it comes before the plan's of the same kind. OutputNamed finds it there, and
// for a filter that is to choose among others when the answer is there (a provider of mod_filter, a type) and then
// calls the other's Do. An internal redirect begins with the filters of its own chain, and with those of the former one
// that stay (exchange.Filter.Stays). Who gives a kept answer which was edited and filtered says so by x.Res.Cached; one that was
// kept at a filter with Resumes goes on from there.
//
// A filter that returns an *exchange.Redirect has another path served in place of the answer, or the same anew (a member's
// 304 that is about something else). A step of Types, Fixup or Insert that returns exchange.AnswerMade has made the answer: no
// handler is run.
//
// Reading order: module.go, plan.go, site.go, serve.go, run.go, host.go, alias.go
// (names with wildcards), section.go, condition.go, list.go (which of many sections may hold), walk.go (which do), override.go, access.go (.htaccess files),
// chain.go, contribution.go (what plans are made of), keeper.go (how many chains are kept), path.go, filter.go,
// range.go, span.go, fail.go, page.go, words.go, own.go (TRACE, OPTIONS *), probe.go (what -U and -F ask).
package site
