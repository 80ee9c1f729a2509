// Package rewrite is mod_rewrite: rules that make another path, a redirect, a member's URL or an error of a request.
//
//	RewriteCond, RewriteRule, RewriteMap --read--> rule{pattern, conditions, template, flags}, rewriteMap
//
//	a request:
//
//	 Translate   engine.step   rules of the server: the path            --> a file, a URL, another path (PT)
//	                 |
//	 Fixup       section.step  rules of the innermost section that      --> an internal redirect, a URL
//	                 |         has any: the file's name without its folder
//	             forceStep     T and H, behind everything else
//
//	 pass.run:   rule by rule   pattern.Set says which may match; the others are not looked at
//	             pattern --> conditions --> template --> E, CO --> what takes the path's place
//
// While rules run x.Filename is the path or URL that they have come to, x.Req.Query the query, as in httpd.
//
// Reading order: module.go, settings.go, options.go, line.go, rule.go, flag.go, cond.go, template.go; pass.go, url.go,
// escape.go, effect.go, server.go, section.go; variable.go, ahead.go; map.go, textfile.go, table.go,
// program.go; trace.go.
package rewrite
