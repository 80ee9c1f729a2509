// Package static serves plain files from disk: httpd's default handler, and what the core's directives say of documents.
//
//	x.Req.Path
//	    |  DocumentRoot, unless an Alias or the proxy said otherwise     module.go
//	    v
//	x.Filename  /srv/docs/a/b.html     x.PathInfo  /rest                 place.go
//	    |  Options: which symbolic links are followed                    options.go, override.go
//	    v
//	a directory, or nothing there? --> mod_dir had its say (proxy/mod/dir): 404
//	    |
//	type by ForceType, else by the name (proxy/mod/mime)                 Plan.TypeOf
//	    |
//	Last-Modified, ETag                                                  etag.go
//	    |  If-Match, If-None-Match, If-Modified-Since …                  proxy/precondition
//	    |  Range, If-Range                                               package site, at the end
//	    v
//	x.Res.Body                                                           document.go
//
// Members' responses pass here too: AddDefaultCharset gives a text its charset, ForceType a type to one that has none
// (reply.go).
//
// Reading order: module.go, settings.go, options.go, override.go, place.go, document.go, discard.go, etag.go,
// digest.go, reply.go.
package static
