package directive

import "strings"

// KnownFilter is a filter that a module of httpd registers: what SetOutputFilter, FilterProvider and their kin may name.
type KnownFilter struct {
	Name   string
	Module string // source file
	Kind   int8   // its place among filters of answers (httpd: util_filter.h ap_filter_type)
	Input  bool   // requests may pass through it, too
	Absent bool   // the module, or the filter, is not here: answers pass as they are
}

// knownFilters are the filters that a configuration can put to use.
var knownFilters = []KnownFilter{
	{Name: "INFLATE", Module: "mod_deflate.c", Kind: 9},
	{Name: "DEFLATE", Module: "mod_deflate.c", Kind: 20, Input: true},
	{Name: "BROTLI_COMPRESS", Module: "mod_brotli.c", Kind: 20},
	{Name: "SUBSTITUTE", Module: "mod_substitute.c", Kind: 10},
	{Name: "Sed", Module: "mod_sed.c", Kind: 10, Input: true},
	{Name: "proxy-html", Module: "mod_proxy_html.c", Kind: 10},
	{Name: "xml2enc", Module: "mod_xml2enc.c", Kind: 10},
	{Name: "BUFFER", Module: "mod_buffer.c", Kind: 20, Input: true},
	{Name: "RATE_LIMIT", Module: "mod_ratelimit.c", Kind: 49},
	{Name: "DATA", Module: "mod_data.c", Kind: 10, Absent: true},
	{Name: "INCLUDES", Module: "mod_include.c", Kind: 10, Absent: true},
	{Name: "CACHE", Module: "mod_cache.c", Kind: 10},
	{Name: "XLATEOUT", Module: "mod_charset_lite.c", Kind: 10, Absent: true},
}

// OutputFilter is the filter of answers that a loaded module registers under a name, in any case.
func (c *Config) OutputFilter(name string) (f KnownFilter, ok bool) {
	for _, f := range knownFilters {
		if strings.EqualFold(f.Name, name) {
			return f, c.Loaded(f.Module) || c.Tree.Partial
		}
	}
	return f, false
}

// AbsentFilters are the filters of loaded modules that are not here.
func (c *Config) AbsentFilters() (list []KnownFilter) {
	for _, f := range knownFilters {
		if f.Absent && (c.Loaded(f.Module) || c.Tree.Partial) {
			list = append(list, f)
		}
	}
	return list
}

// FilterNames cuts a list of names, as SetOutputFilter has it (httpd: util.c ap_getword).
func FilterNames(list string) (names []string) {
	for list != "" {
		name, rest, _ := strings.Cut(list, ";")
		names, list = append(names, name), strings.TrimLeft(rest, ";")
	}
	return names
}

// HintFilters says of each name in a list that stands for a filter which is not here that it has no effect.
func (c *Config) HintFilters(a Args, list string) {
	for _, name := range FilterNames(list) {
		if f, ok := c.OutputFilter(name); ok && f.Absent {
			c.Hint(a, a.Name+" "+f.Name+" has no effect here: answers are passed on as they are")
		}
	}
}
