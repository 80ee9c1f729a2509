// Package mime is mod_mime: what the extensions of a document's name say of it.
//
//	x.Filename  /srv/docs/a.html.en.gz
//	                        |    |  |
//	    AddType, TypesConfig   AddLanguage   AddEncoding         extension.go, types.go
//	                        |    |  |
//	                        v    v  v
//	Content-Type: text/html   Content-Language: en   Content-Encoding: x-gzip      reply.go
//
// A member's response is described too, as httpd does: it gets the type that it lacks, languages and encodings, by
// the URL that the request was mapped to. AddHandler names the handler by the extension,
// AddOutputFilter and AddInputFilter filters (filters.go).
//
// Reading order: module.go, settings.go, extension.go, mediatype.go, types.go, filters.go, reply.go.
package mime
