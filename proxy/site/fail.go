package site

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"balancerd/proxy/exchange"
)

// fail answers with the error's status: by the ErrorDocument in force, else by our own page
// (httpd: http_request.c ap_die_r).
func (s *Site) fail(ctx context.Context, x *exchange.Exchange, err error) {
	defer func() { x.Undecided = false }()
	var first *failure // what an ErrorDocument was tried for
	for err != nil {
		x.Undecided = false // told by err
		var again *exchange.Redirect
		if errors.As(err, &again) {
			if again.Status != 0 && first == nil {
				first = failureOf(x, exchange.Status(again.Status))
			}
			if again.Found == nil && s.redirectedOften(x) {
				s.page(x, first.unlessTold(x, exchange.Status(500)))
				return
			}
			err = s.redirect(ctx, x, again)
		} else if first, err = s.failOnce(ctx, x, first, err); err == errTold {
			return
		}
		if x.Undecided {
			failed(x, exchange.Status(500))
			s.page(x, exchange.Status(500))
			return
		}
	}
	first.hold(x)
}

// errTold: the answer is there.
var errTold = errors.New("answered by a page")

// failOnce answers an error with a page, or fetches its ErrorDocument: with what error that ended, and what is told if it
// is one.
func (s *Site) failOnce(ctx context.Context, x *exchange.Exchange, first *failure, err error) (*failure, error) {
	failed(x, err)
	path := s.document(x, err)
	switch {
	case path == "" && x.Undecided:
		return first, nil
	case path == "":
		s.page(x, first.unlessTold(x, err))
		s.overLimit(x)
		return first, errTold
	case s.redirectedOften(x):
		s.page(x, first.restore(x, exchange.Status(500), statusOf(err)))
		return first, errTold
	}
	x.Env.Set("REQUEST_METHOD", x.Req.Method)
	if x.RawNote != "" {
		x.Env.Set("ERROR_NOTES", x.RawNote)
	}
	if first == nil {
		first = failureOf(x, err)
	}
	return first, s.redirectError(ctx, x, err, path)
}

// redirectedOften reports whether there may be no more internal redirects and lookups, and logs it
// (httpd: core.c ap_is_recursion_limit_exceeded).
func (s *Site) redirectedOften(x *exchange.Exchange) bool {
	limit := limitOf(s.Settings.RedirectLimit)
	if x.Prev == nil || x.Prev.Redirects < limit {
		return false
	}
	x.Log("core", exchange.Error, nil, x.Arena.Join("AH00124: Request exceeded the limit of ", x.Arena.Int(int64(limit)),
		" internal redirects due to probable configuration error. Use 'LimitInternalRecursion' to increase the limit if necessary. Use 'LogLevel debug' to get a backtrace."))
	return true
}

// limitOf is a number of LimitInternalRecursion, or the usual one.
func limitOf(n int) int {
	if n > 0 {
		return n
	}
	return 10
}

// overLimit replaces an own page by that of 413 when the request's body, which nobody has looked at, is
// longer than may be (httpd: protocol.c ap_finalize_request_protocol).
func (s *Site) overLimit(x *exchange.Exchange) {
	if x.Local == nil || x.Local.LimitRequestBody == 0 || x.Req.Length <= x.Local.LimitRequestBody || x.Forwarded() || exchange.Closes(x.Res.Status) {
		return
	}
	status := x.Res.Status
	x.Res.Always.Reset()
	s.page(x, &unhandled{exchange.Status(413), status})
}

// document is the local path of the ErrorDocument for an error; "" when another kind or none holds,
// when the error comes from such a document itself, or for CONNECT.
func (s *Site) document(x *exchange.Exchange, err error) string {
	if x.Prev != nil && x.Prev.Error != 0 || x.Req.Method == "CONNECT" { // a document's own 200 would look like a tunnel
		return ""
	}
	d := errorDocument(x, statusOf(err))
	if d == nil || d.Path == nil {
		return ""
	}
	return d.Path(x)
}

// failure is an error with what held when it came.
type failure struct {
	err   error
	plan  any
	note  string
	allow string
	env   exchange.Table
}

// failureOf notes an error.
func failureOf(x *exchange.Exchange, err error) *failure {
	f := &failure{err: err, plan: x.State[exchange.StatePlan], note: x.RawNote, allow: x.Res.Header.Get("Allow")}
	f.env.CopyFrom(&x.Env)
	return f
}

// restore puts back what held at the first error, and is that error: it is told when its ErrorDocument
// fails, too, with status as the one that this was fetched with. Without a first one err itself is told.
func (f *failure) restore(x *exchange.Exchange, err error, status int) error {
	if f == nil {
		return &unhandled{err, status}
	}
	x.Prev.Failed = attempt(x, statusOf(err))
	x.State[exchange.StatePlan], x.RawNote = f.plan, f.note
	x.Env.CopyFrom(&f.env)
	x.Res.Always.Del("Location") // the document's
	if x.Res.Header.Del("Allow"); f.allow != "" {
		x.Res.Header.Set("Allow", f.allow)
	}
	if p := planOf(x); p != nil {
		x.Local = p.Local
	}
	return &unhandled{f.err, status}
}

// unlessTold is the first error where err comes from its ErrorDocument, and err where a rule has answered since.
func (f *failure) unlessTold(x *exchange.Exchange, err error) error {
	if x.Prev == nil || x.Prev.Error == 0 {
		return err
	}
	return f.restore(x, err, x.Prev.Error)
}

// attempt notes what an ErrorDocument that failed came to.
func attempt(x *exchange.Exchange, status int) *exchange.Attempt {
	a := &exchange.Attempt{Status: status}
	a.Env.CopyFrom(&x.Env)
	a.Header.CopyFrom(&x.Res.Header)
	if l := x.Res.Always.Get("Location"); l != "" {
		a.Header.Set("Location", l)
	}
	if p := planOf(x); p != nil && status != 401 && status != 403 && x.FileType != exchange.Directory && !a.Header.Has("Content-Type") {
		if t := p.MediaType(x); t != "" {
			a.Header.Set("Content-Type", t)
		}
	}
	return a
}

// hold keeps the error's status in the answer that its ErrorDocument makes, unless a member answers with its own, or a
// kept answer has one.
func (f *failure) hold(x *exchange.Exchange) {
	if f == nil {
		return
	}
	status := x.Prev.Error
	if status != 0 && !x.Res.Proxied && !x.Res.Cached && x.Res.Status == 200 {
		x.Res.Status = status
	}
	if exchange.Closes(status) || exchange.Closes(statusOf(f.err)) {
		x.Res.Close = true
	}
}

// unhandled is an error whose ErrorDocument failed. status is the one that this was fetched with.
type unhandled struct {
	error
	status int
}

func (u *unhandled) Unwrap() error { return u.error }

// errorDocument is the document for a status, nil for none. One that is not known has that of 500 (httpd: http_protocol.c
// ap_index_of_response).
func errorDocument(x *exchange.Exchange, status int) *exchange.ErrorDocument {
	if x.Local == nil {
		return nil
	}
	if !exchange.Known(status) {
		status = 500
	}
	for i := range x.Local.ErrorDocuments {
		if d := &x.Local.ErrorDocuments[i]; d.Status == status {
			return d
		}
	}
	return nil
}

// statusOf is the status that an error stands for.
func statusOf(err error) int {
	var p *exchange.Problem
	var b *exchange.BodyError
	var st exchange.Status
	switch {
	case errors.As(err, &p):
		return int(p.Status)
	case errors.As(err, &b):
		return int(b.Status)
	case errors.As(err, &st):
		return int(st)
	}
	return 500
}

// redirectError fetches an ErrorDocument's local path by GET.
func (s *Site) redirectError(ctx context.Context, x *exchange.Exchange, cause error, path string) error {
	leave(x, statusOf(cause))
	x.Req.Method = "GET"
	return s.start(ctx, x, path, "")
}

// redirect serves another local path in place of this one, or what a lookup found.
func (s *Site) redirect(ctx context.Context, x *exchange.Exchange, r *exchange.Redirect) error {
	if r.Found != nil {
		x.TakeOver(r.Found)
		return s.handle(ctx, x, planOf(x))
	}
	vary := ""
	if r.KeepVary {
		vary = x.Res.Header.Joined("Vary")
	}
	leave(x, r.Status)
	return s.start(ctx, x, r.Path, vary)
}

// leave notes what is replaced: status is that of an error or of a redirect that was taken back, or 0.
func leave(x *exchange.Exchange, status int) {
	if x.Prev == nil {
		x.Prev = &exchange.Original{Status: cmp.Or(status, 200), Method: x.Req.Method, Path: strings.Clone(x.Req.Path), Query: strings.Clone(x.Req.Query),
			Filename: strings.Clone(x.Mapped()), Handler: x.Handler}
	}
	if status != 0 {
		x.Prev.Error = status
	}
	x.Prev.LastPath, x.Prev.LastQuery = strings.Clone(x.Req.Path), strings.Clone(x.Req.Query)
	x.Prev.Redirects++
}

// start replaces the request's target and walks the phases again, with vary of the answer so far
// (httpd: http_request.c ap_die_r, internal_internal_redirect).
func (s *Site) start(ctx context.Context, x *exchange.Exchange, target, vary string) error {
	renameEnv(x, cmp.Or(x.Prev.Error, 200))
	x.Res.Clear()
	if vary != "" {
		x.Res.Header.Set("Vary", vary)
	}
	x.Filename, x.PathInfo, x.Type, x.Handler, x.FileType, x.Context = "", "", "", "", exchange.NoFile, exchange.Context{}
	x.Notes.Reset()
	x.ResetFilters()
	x.Located, x.State[exchange.StateLocated] = "", nil // its variables are others now
	x.Req.Proxy = false                                 // a path of this server is served in its place
	path, query, has := strings.Cut(target, "?")
	x.Req.RawPath, x.Req.Query, x.Req.HasQuery, x.Req.Path = oneSlash(path), query, has, ""
	h := hostOf(x)
	if err := h.early.run(ctx, x, Early); err != nil {
		return err
	}
	return s.again(ctx, x, h)
}

// oneSlash is a path whose run of slashes at the front is taken as one, as it is of every target
// (httpd: protocol.c ap_parse_uri).
func oneSlash(path string) string {
	for strings.HasPrefix(path, "//") {
		path = path[1:]
	}
	return path
}

// renameEnv gives every variable the prefix REDIRECT_ and adds the status.
func renameEnv(x *exchange.Exchange, status int) {
	var old exchange.Table
	for i := 0; i < x.Env.Len(); i++ {
		n, v := x.Env.At(i)
		old.Set(n, v)
	}
	x.Env.Reset()
	for i := 0; i < old.Len(); i++ {
		n, v := old.At(i)
		x.Env.Set("REDIRECT_"+n, v)
	}
	x.Env.Set("REDIRECT_STATUS", x.Arena.Int(int64(status)))
}
