// Package files serves plain files from disk: httpd's default handler with mod_dir and mod_mime around it.
//
//	x.Req.Path
//	    |  DocumentRoot, unless an Alias or the proxy said otherwise     module.go  translate
//	    v
//	x.Filename  /srv/docs/a/b.html     x.PathInfo  /rest                 place.go
//	    |
//	a directory? -- no slash --> 301        directory.go
//	    |        -- slash -----> DirectoryIndex, else 403 or 404
//	    v
//	type, encoding, language by the name's extensions                    mime.go, types.go
//	    |
//	Last-Modified, ETag                                                  etag.go
//	    |  If-Match, If-None-Match, If-Modified-Since …                  condition.go
//	    |  Range, If-Range                                               byterange.go
//	    v
//	x.Res.Body                                                           document.go, source.go
//
// Proxied answers pass here too: mod_mime gives a member's answer the type that it lacks, and
// AddDefaultCharset its charset (reply.go).
//
// Reading order: module.go, settings.go, options.go, override.go, place.go, document.go, discard.go, directory.go,
// mime.go, types.go, contenttype.go, etag.go, condition.go, byterange.go, multipart.go, source.go,
// reply.go, escape.go.
package files
