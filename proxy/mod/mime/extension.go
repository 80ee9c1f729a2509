package mime

import (
	"cmp"
	"strings"

	"balancerd/apacheconf/directive"
)

// extension is what AddType, AddCharset and their kin say of names that end in it. An empty text that
// is set takes the type away (RemoveType).
type extension struct {
	mediaType directive.Opt[string]
	charset   directive.Opt[string]
	language  directive.Opt[string]
	encoding  directive.Opt[string]
	handler   directive.Opt[string]
	outputs   directive.Opt[string] // names of filters, as the directive has them
	inputs    directive.Opt[string]
}

// over is e where it says something, else outer.
func (e extension) over(outer extension) extension {
	return extension{
		mediaType: e.mediaType.Over(outer.mediaType),
		charset:   e.charset.Over(outer.charset),
		language:  e.language.Over(outer.language),
		encoding:  e.encoding.Over(outer.encoding),
		handler:   e.handler.Over(outer.handler),
		outputs:   e.outputs.Over(outer.outputs),
		inputs:    e.inputs.Over(outer.inputs),
	}
}

// field picks one fact of an extension: the directives of a kind share it.
type field func(*extension) *directive.Opt[string]

// settings is what one scope says (httpd: mod_mime.c mime_dir_config).
type settings struct {
	extensions map[string]extension // by lower-case extension without its dot
	removed    []removal            // taken away from what comes from outside, once
	language   directive.Opt[string]
	pathInfo   directive.Opt[bool]
	types      string          // TypesConfig, of a server
	views      map[string]bool // MultiviewsMatch's words, to check them against each other
}

type removal struct {
	ext string
	of  field
}

var scopes = directive.NewKey[settings]("mod_mime", merge)

func merge(outer, inner settings) settings {
	m := settings{
		extensions: map[string]extension{},
		language:   inner.language.Over(outer.language),
		pathInfo:   inner.pathInfo.Over(outer.pathInfo),
	}
	for k, v := range outer.extensions {
		m.extensions[k] = v
	}
	for k, v := range inner.extensions {
		m.extensions[k] = v.over(m.extensions[k])
	}
	for _, r := range inner.removed {
		if e, ok := m.extensions[r.ext]; ok {
			*r.of(&e) = directive.Opt[string]{}
			m.extensions[r.ext] = e
		}
	}
	return m
}

// add is AddType and the like: a value for an extension, both in lower case (httpd: mod_mime.c
// add_extension_info).
func add(of field) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		give(s, a.Words[1], of, strings.ToLower(a.Words[0]))
		return nil
	}
}

func give(s *directive.Scope, ext string, of field, value string) {
	m := scopes.In(s)
	if m.extensions == nil {
		m.extensions = map[string]extension{}
	}
	ext = strings.TrimPrefix(strings.ToLower(ext), ".")
	e := m.extensions[ext]
	of(&e).Set(value)
	m.extensions[ext] = e
}

func remove(of field) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		m := scopes.In(s)
		m.removed = append(m.removed, removal{strings.TrimPrefix(strings.ToLower(a.Words[0]), "."), of})
		return nil
	}
}

// removeType hides the type of TypesConfig too.
func removeType(s *directive.Scope, a directive.Args) error {
	give(s, a.Words[0], mediaType, "")
	return nil
}

func mediaType(e *extension) *directive.Opt[string]  { return &e.mediaType }
func charsetOf(e *extension) *directive.Opt[string]  { return &e.charset }
func languageOf(e *extension) *directive.Opt[string] { return &e.language }
func encodingOf(e *extension) *directive.Opt[string] { return &e.encoding }
func handlerOf(e *extension) *directive.Opt[string]  { return &e.handler }
func outputsOf(e *extension) *directive.Opt[string]  { return &e.outputs }
func inputsOf(e *extension) *directive.Opt[string]   { return &e.inputs }

// extensionMap is the merged settings of a chain with the types file. Immutable.
type extensionMap struct {
	types      map[string]string // TypesConfig
	extensions map[string]extension
	language   string             // DefaultLanguage
	pathInfo   bool               // ModMimeUsePathInfo
	handlers   bool               // an extension names a handler
	marks      bool               // an extension has a language or encoding, or there is a default
	filters    map[string]filters // of the extensions that have any
}

func newExtensionMap(m settings, types map[string]string) *extensionMap {
	out := &extensionMap{types: types, extensions: m.extensions, language: m.language.Or(""), pathInfo: m.pathInfo.Or(false)}
	out.marks = out.language != ""
	for _, e := range m.extensions {
		_, handler := e.handler.Get()
		_, lang := e.language.Get()
		_, enc := e.encoding.Get()
		out.handlers = out.handlers || handler
		out.marks = out.marks || lang || enc
	}
	out.filters = filtersOf(m.extensions)
	return out
}

// kind is what a name's extensions say of a document.
type kind struct {
	mediaType string // with the charset; "" unknown
	languages string // comma-separated
	encoding  string // "x-gzip", or several joined by ", "
	handler   string
}

// of reads the extensions of a name, in any order; the last of each fact wins, languages and encodings
// add up (httpd: mod_mime.c find_ct). Dots in front belong to the name.
func (m *extensionMap) of(name string) kind {
	var k kind
	charset := ""
	rest := extensions(name)
	for rest != "" {
		var ext string
		ext, rest, _ = strings.Cut(rest, ".")
		if ext == "" {
			continue
		}
		m.apply(strings.ToLower(ext), &k, &charset)
	}
	k.mediaType = withCharset(k.mediaType, charset)
	if k.languages == "" {
		k.languages = m.language
	}
	return k
}

// extensions is what follows the first dot of the last segment.
func extensions(name string) string {
	name = strings.TrimLeft(name[strings.LastIndexByte(name, '/')+1:], ".")
	_, rest, _ := strings.Cut(name, ".")
	return rest
}

func (m *extensionMap) apply(ext string, k *kind, charset *string) {
	e := m.extensions[ext]
	if t, ok := e.mediaType.Get(); !ok {
		k.mediaType = cmp.Or(m.types[ext], k.mediaType)
	} else if t != "" {
		k.mediaType = t
	}
	*charset = cmp.Or(e.charset.Or(""), *charset)
	if l, ok := e.language.Get(); ok {
		k.languages = joined(k.languages, ",", l)
	}
	if c, ok := e.encoding.Get(); ok {
		k.encoding = joined(k.encoding, ", ", c)
	}
	k.handler = cmp.Or(e.handler.Or(""), k.handler)
}

func joined(a, sep, b string) string {
	if a == "" {
		return b
	}
	return a + sep + b
}
