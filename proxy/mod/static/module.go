package static

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is the core's part in serving files. It stands near the end of the modules' list, since what nobody else
// mapped is a file; behind mod_mime, whose types ForceType replaces, and in front of mod_dir, whose look-ups of index
// documents it refuses.
func Module() site.Module {
	return site.Module{Name: "core", Table: table, Open: open, Reads: []string{"core_files"}}
}

var table = directive.Table{
	{Name: "Options", Set: setOptions, Help: "symbolic links: FollowSymLinks, SymLinksIfOwnerMatch"},
	{Name: "AllowOverride", Set: setOverride, Help: "whether .htaccess files count"},
	{Name: "AllowOverrideList", Set: setOverrideList, Help: "which directives count in .htaccess files"},
	{Name: "AccessFileName", Set: setAccessName, Help: "the names of .htaccess files"},
	{Name: "FileETag", Set: setFileETag, Help: "what ETag is made of: INode, MTime, Size, Digest, All, None"},
	{Name: "ContentDigest", Set: setFlag(func(d *dirSettings) *directive.Opt[bool] { return &d.md5 }), Help: "send Content-MD5"},
	{Name: "AcceptPathInfo", Set: setPathInfo, Help: "whether a path may go on behind a file"},
	{Name: "ForceType", Set: setForceType, Help: "the type of everything here"},
	{Name: "AddDefaultCharset", Set: setDefaultCharset, Help: "the charset of texts that name none"},
	{Name: "MaxRanges", Set: setMax(func(d *dirSettings) *directive.Opt[int] { return &d.ranges }, defaultRanges), Help: "ranges a request"},
	{Name: "MaxRangeOverlaps", Set: setMax(func(d *dirSettings) *directive.Opt[int] { return &d.overlaps }, defaultMerges), Help: "ranges that overlap"},
	{Name: "MaxRangeReversals", Set: setMax(func(d *dirSettings) *directive.Opt[int] { return &d.reversals }, defaultMerges), Help: "ranges out of order"},
	{Name: "EnableMMAP", Set: checkOnOff, Help: "how httpd reads files; makes no difference"},
	{Name: "EnableSendfile", Set: checkOnOff, Help: "how httpd sends files; makes no difference"},
	{Name: "ReadBufferSize", Set: checkBuffer, Help: "how httpd reads files; makes no difference"},
}

// open has one boundary for the multipart responses of all plans of a load.
func open(*directive.Config, *site.Site) (site.Builder, error) {
	boundary := newBoundary()
	return func(chain []*directive.Scope, sp *site.Plan) error {
		build(chain, sp, boundary)
		return nil
	}, nil
}

func build(chain []*directive.Scope, sp *site.Plan, boundary string) {
	p := newPlan(chain, boundary)
	sp.Add(site.Translate, "DocumentRoot", translate)
	sp.Add(site.Storage, "DocumentRoot", locate)
	options := p.dir.options.over(defaultOptions)
	sp.FollowsLinks = options.rule() == followAlways
	sp.NoLinks = options.rule() == followNever
	sp.Indexes = options.bits&optIndexes != 0
	sp.Reachable = p.reachable
	if p.links != nil {
		sp.Admits = p.admits
	}
	sp.Add(site.Fixup, "Options", p.admitLookup)
	p.typed(sp)
	h := exchange.HandlerFunc(p.serve)
	sp.HandlerFor("default-handler", h)
	if sp.Handler == nil {
		sp.Handler = h
	}
}

// typed has ForceType and AddDefaultCharset put in force.
func (p *plan) typed(sp *site.Plan) {
	if forced := p.dir.forced(); forced != "" {
		sp.TypeOf = func(*exchange.Exchange) string { return forced }
		sp.Add(site.Reply, "ForceType", p.addType)
	}
	if p.dir.charset.Or("") != "" {
		sp.Add(site.Reply, "AddDefaultCharset", p.addCharset)
	}
}

// translate maps what nobody mapped to a file (httpd: core.c ap_core_translate).
func translate(_ context.Context, x *exchange.Exchange) error {
	if x.Filename != "" || x.Req.Path == "*" {
		return nil
	}
	if !strings.HasPrefix(x.Req.Path, "/") {
		x.Log("core", exchange.Error, nil, x.Arena.Join("AH00126: Invalid URI in request '", x.Req.Path, "' '", x.Req.Line, "'"))
		return exchange.Status(400)
	}
	x.Filename = cleaned(strings.TrimRight(x.Server.DocumentRoot, "/") + x.Req.Path)
	return nil
}

// locate finds where the file's name ends and the path behind it begins, and what is there (httpd:
// request.c ap_directory_walk).
func locate(_ context.Context, x *exchange.Exchange) error {
	at, err := find(cleaned(x.Filename), x.Req.Path, nil)
	if err != nil {
		return refuse(x, err)
	}
	x.Filename, x.PathInfo, x.FileType = at.name, at.info, at.fileType()
	return nil
}

// cleaned is a name without empty and "." segments; a final slash stays.
func cleaned(name string) string {
	for strings.Contains(name, "//") {
		name = strings.ReplaceAll(name, "//", "/")
	}
	for strings.Contains(name, "/./") {
		name = strings.ReplaceAll(name, "/./", "/")
	}
	return name
}

// reachable reports whether nothing that is in force here forbids what x.Filename leads to: a symbolic link that may
// not be followed.
func (p *plan) reachable(x *exchange.Exchange) bool {
	_, err := p.find(x)
	return err == nil
}

// admits refuses what a symbolic link leads to which may not be followed.
func (p *plan) admits(x *exchange.Exchange, name string) error {
	if _, err := find(name, x.Req.Path, p.links); err != nil {
		return refuse(x, err)
	}
	return nil
}

// admitLookup refuses, to a lookup of what is no plain file, what the default handler refuses, which a lookup never
// comes to.
func (p *plan) admitLookup(_ context.Context, x *exchange.Exchange) error {
	if x.Depth == 0 || !strings.HasPrefix(x.Filename, "/") || x.FileType == exchange.Regular {
		return nil
	}
	if _, err := p.find(x); err != nil {
		return refuse(x, err)
	}
	return nil
}

// describe sets the type of a file.
func (p *plan) describe(x *exchange.Exchange) {
	if t := site.PlanOf(x).MediaType(x); t != "" {
		x.Res.Header.Set("Content-Type", t)
	}
}

// newBoundary is 16 hexadecimal digits that no document is likely to contain.
func newBoundary() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
