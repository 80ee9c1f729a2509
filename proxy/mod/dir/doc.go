// Package dir is mod_dir: what a directory shows, and what stands for a path that leads to nothing.
//
//	x.FileType
//	    |
//	    +-- Directory -- no final slash --> 301 to the name with one          DirectorySlash
//	    |       +------- an index document --> it is served in its place      DirectoryIndex, DirectoryIndexRedirect
//	    |       +------- else --> 403 with mod_autoindex loaded (no listings are made), 404 without
//	    +-- NoFile --> one path serves it                                     FallbackResource
//
// An index document is a file, or a path that maps to a member: it is looked up as httpd's subrequests are
// (site.Host.LookUp).
//
// Reading order: module.go, settings.go, fixup.go, index.go.
package dir
