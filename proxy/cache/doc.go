// Package cache keeps answers (RFC 9111) by httpd's rules: in memory, bounded in bytes, or in a folder on disk. It knows
// answers and their ages, and neither configuration nor requests' ways: those are proxy/mod/cache's.
//
//	Cache-Control  --Parse-->  Control         control.go    what a request or an answer says of being kept
//	host, path, query  --Key-->  a text        key.go        what an answer is kept under
//	Entry  --Fresh-->  may it be given?        freshness.go  ages and how long an answer holds
//
//	                 +--> Put --> index, bounded, by Key and by the fields that Vary names      store.go
//	Recorder --------+                |
//	  a body as it passes             |      a body in memory ...                               recorder.go
//	                                  +--->  ... or in files of a folder, and read back later   disk.go, codec.go
//	Lookup --> Entry --> Body                                                                   entry.go
//
// Files. An answer is one file with its head and, up to 64 KiB, its body; a longer body is a file of its own, which
// the head names. Heads are written whole under another name and renamed, so a crash leaves the former one or the new
// one; what a crash left besides is removed when the folder is read at the start. The first answer of a body after that
// is held against its checksum.
//
// Reading order: control.go, key.go, entry.go, freshness.go, store.go, recorder.go, codec.go, disk.go, folder.go.
package cache
