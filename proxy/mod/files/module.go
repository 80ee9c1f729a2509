package files

import (
	"context"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Modules are mod_mime, mod_dir and the core's part in serving files. They stand last in the modules'
// list: what nobody else mapped is a file, and the types are told after Header had its say.
func Modules() []site.Module {
	return []site.Module{
		{Name: "mime", Table: mimeTable},
		{Name: "dir", Table: dirTable},
		{Name: "core", Table: coreTable, Open: open, Reads: []string{"mod_dir", "mod_mime", "core-dir"}},
	}
}

var coreTable = directive.Table{
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

var dirTable = directive.Table{
	{Name: "DirectoryIndex", Set: setIndex, Help: "the documents that stand for a directory"},
	{Name: "DirectorySlash", Set: setFlag(func(d *dirSettings) *directive.Opt[bool] { return &d.slash }), Help: "redirect to a directory's name with a slash"},
	{Name: "DirectoryIndexRedirect", Set: setIndexRedirect, Help: "redirect to the index document"},
	{Name: "DirectoryCheckHandler", Set: setFlag(func(d *dirSettings) *directive.Opt[bool] { return &d.checkHandler }), Help: "leave directories with a handler alone"},
	{Name: "FallbackResource", Set: setFallback, Help: "what serves paths that lead to nothing"},
}

var mimeTable = directive.Table{
	{Name: "TypesConfig", File: directive.ReadsFile, Set: setTypesConfig, Help: "the file of media types"},
	{Name: "AddType", Set: add(mediaType), Help: "a media type by extension"},
	{Name: "AddCharset", Set: add(charsetOf), Help: "a charset by extension"},
	{Name: "AddLanguage", Set: add(languageOf), Help: "a language by extension"},
	{Name: "AddEncoding", Set: add(encodingOf), Help: "an encoding by extension"},
	{Name: "AddHandler", Set: add(handlerOf), Help: "a handler by extension"},
	{Name: "RemoveType", Set: removeType, Help: "no media type for an extension"},
	{Name: "RemoveCharset", Set: remove(charsetOf), Help: "undo AddCharset"},
	{Name: "RemoveLanguage", Set: remove(languageOf), Help: "undo AddLanguage"},
	{Name: "RemoveEncoding", Set: remove(encodingOf), Help: "undo AddEncoding"},
	{Name: "RemoveHandler", Set: remove(handlerOf), Help: "undo AddHandler"},
	{Name: "DefaultLanguage", Set: setDefaultLanguage, Help: "the language of documents whose name has none"},
	{Name: "MultiviewsMatch", Set: checkMultiviews, Help: "what negotiation looks at", Partial: "no content negotiation"},
	{Name: "ModMimeUsePathInfo", Set: setUsePathInfo, Help: "look for extensions in the path behind a file too"},
}

// room is what belongs to one load.
type room struct {
	types    map[string]string // TypesConfig
	boundary string
	loaded   loaded
}

func open(c *directive.Config, s *site.Site) (site.Builder, error) {
	r := &room{boundary: newBoundary()}
	r.loaded = loaded{mime: c.Loaded("mod_mime.c"), dir: c.Loaded("mod_dir.c"), index: c.Loaded("mod_autoindex.c")}
	if r.loaded.mime && !s.Checking { // httpd -t does not look at the file
		var err error
		if r.types, err = typesOf(c); err != nil {
			return nil, err
		}
	}
	return r.build, nil
}

func (r *room) build(chain []*directive.Scope, sp *site.Plan) error {
	d := dirs.Merged(chain...)
	p := &plan{dir: d, boundary: r.boundary, loaded: r.loaded, levels: levels(chain)}
	p.mime = newMimeMap(mimes.Merged(chain...), r.types)
	p.links = linkRules(p.levels)
	for _, l := range p.levels {
		p.override = p.override || l.override != overrideNone
	}
	sp.Add(site.Translate, "DocumentRoot", translate)
	sp.Add(site.Storage, "DocumentRoot", locate)
	sp.FollowsLinks = d.options.over(defaultOptions).rule() == followAlways
	if p.mime.handlers {
		sp.Add(site.Types, "AddHandler", p.nameHandler)
	}
	if sp.Named != "" && sp.Named != "none" && r.loaded.dir {
		sp.Add(site.Fixup, "DirectoryIndex", p.claimed)
	}
	sp.Add(site.Fixup, "DirectoryIndex", p.lookedUp)
	if r.loaded.mime || d.charset.Or("") != "" || d.forced() != "" {
		sp.Add(site.Reply, "AddType", p.reply)
		sp.TypeOf = p.typeOf
	}
	h := exchange.HandlerFunc(p.serve)
	sp.HandlerFor("default-handler", h)
	if sp.Handler == nil {
		sp.Handler = h
	}
	return nil
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

// nameHandler is AddHandler: the extension names what serves the file, unless SetHandler does
// (httpd: mod_mime.c find_ct). A member's URL has no handler of ours.
func (p *plan) nameHandler(_ context.Context, x *exchange.Exchange) error {
	if strings.HasPrefix(x.Filename, "proxy:") || x.Handler != "" || handlerSet(x) {
		return nil
	}
	x.Handler = p.mime.of(p.named(x)).handler
	return nil
}

// claimed looks after a directory that has a handler by SetHandler: an index document goes first.
func (p *plan) claimed(_ context.Context, x *exchange.Exchange) error {
	if !strings.HasPrefix(x.Filename, "/") {
		return nil
	}
	at, err := p.find(x)
	if err != nil || at.stat == nil || !at.stat.IsDir() || at.info != "" {
		return nil
	}
	return p.document(x)
}

// lookedUp does for a lookup what is otherwise left to the handler, which it never comes to: a directory
// stands for its index document, what is not there for FallbackResource.
func (p *plan) lookedUp(_ context.Context, x *exchange.Exchange) error {
	if x.Depth == 0 || !strings.HasPrefix(x.Filename, "/") || x.FileType == exchange.Regular {
		return nil
	}
	at, err := p.find(x)
	if err != nil {
		return refuse(x, err)
	}
	return p.index(x, &at)
}

// typeOf is the media type that ForceType or the name of what was asked for says.
func (p *plan) typeOf(x *exchange.Exchange) string {
	t := p.dir.forced()
	if t == "" && p.loaded.mime {
		t = p.mime.of(p.named(x)).mediaType
	}
	return t
}

// describe sets the type of a file.
func (p *plan) describe(x *exchange.Exchange) {
	if t := p.typeOf(x); t != "" {
		x.Res.Header.Set("Content-Type", t)
	}
}

// handlerSet reports whether SetHandler names a handler for an exchange.
func handlerSet(x *exchange.Exchange) bool {
	p := site.PlanOf(x)
	return p != nil && p.Named != "" && p.Named != "none"
}
