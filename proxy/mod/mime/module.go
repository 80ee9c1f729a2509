package mime

import (
	"context"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Module is mod_mime. Its types are told after Header had its say.
func Module() site.Module {
	return site.Module{Name: "mime", Table: table, Open: open, Reads: []string{"mod_mime"}}
}

var table = directive.Table{
	{Name: "TypesConfig", File: directive.ReadsFile, Set: setTypesConfig, Help: "the file of media types"},
	{Name: "AddType", Set: add(mediaType), Help: "a media type by extension"},
	{Name: "AddCharset", Set: add(charsetOf), Help: "a charset by extension"},
	{Name: "AddLanguage", Set: add(languageOf), Help: "a language by extension"},
	{Name: "AddEncoding", Set: add(encodingOf), Help: "an encoding by extension"},
	{Name: "AddHandler", Set: add(handlerOf), Help: "a handler by extension"},
	{Name: "AddOutputFilter", Set: addFilters(outputsOf), Help: "filters for answers by extension"},
	{Name: "AddInputFilter", Set: addFilters(inputsOf), Help: "filters for request bodies by extension"},
	{Name: "RemoveOutputFilter", Set: remove(outputsOf), Help: "undo AddOutputFilter"},
	{Name: "RemoveInputFilter", Set: remove(inputsOf), Help: "undo AddInputFilter"},
	{Name: "RemoveType", Set: removeType, Help: "no media type for an extension"},
	{Name: "RemoveCharset", Set: remove(charsetOf), Help: "undo AddCharset"},
	{Name: "RemoveLanguage", Set: remove(languageOf), Help: "undo AddLanguage"},
	{Name: "RemoveEncoding", Set: remove(encodingOf), Help: "undo AddEncoding"},
	{Name: "RemoveHandler", Set: remove(handlerOf), Help: "undo AddHandler"},
	{Name: "DefaultLanguage", Set: setDefaultLanguage, Help: "the language of documents whose name has none"},
	{Name: "MultiviewsMatch", Set: checkMultiviews, Help: "what negotiation looks at", Partial: "no content negotiation"},
	{Name: "ModMimeUsePathInfo", Set: setUsePathInfo, Help: "look for extensions in the path behind a file too"},
}

func open(c *directive.Config, s *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_mime.c") {
		return nil, nil
	}
	var types map[string]string
	if !s.Checking { // httpd -t does not look at the file
		var err error
		if types, err = typesOf(c); err != nil {
			return nil, err
		}
	}
	return func(chain []*directive.Scope, sp *site.Plan) error {
		p := &plan{extensions: newExtensionMap(scopes.Merged(chain...), types)}
		if p.extensions.handlers {
			sp.Add(site.Types, "AddHandler", p.nameHandler)
		}
		if len(p.extensions.filters) > 0 {
			sp.Add(site.Types, "AddOutputFilter", p.addFilters)
		}
		sp.Add(site.Reply, "AddType", p.reply)
		sp.TypeOf = p.typeOf
		return nil
	}, nil
}

// plan is what the sections in force say of names: made once for each chain of scopes.
type plan struct {
	extensions *extensionMap
}

// scriptHandler is what ScriptAlias names.
const scriptHandler = "cgi-script"

// nameHandler is AddHandler: the extension names what serves the file, unless SetHandler does; it goes before ScriptAlias
// (httpd: mod_mime.c find_ct). A member's URL has no handler of ours.
func (p *plan) nameHandler(_ context.Context, x *exchange.Exchange) error {
	if x.Forwarded() || x.Handler != "" && x.Handler != scriptHandler || site.PlanOf(x).Handles() {
		return nil
	}
	if handler := p.extensions.of(p.named(x)).handler; handler != "" {
		x.Handler = handler
	}
	return nil
}

// typeOf is the media type that the name of what was asked for says.
func (p *plan) typeOf(x *exchange.Exchange) string { return p.extensions.of(p.named(x)).mediaType }
