// Package dbm looks for keys in the tables that httxt2dbm makes: of type SDBM, and of Berkeley DB's hash, which is Debian's
// default. Nothing is written, and nothing is kept: each look-up opens the files, as httpd's do, so that another table in
// their place is seen at once.
//
//	TypeOf("sdbm") --> Type.Find(path, key): hash of the key --> number of a page --> the pairs in the page
//
// Files are believed in nothing: offsets, lengths and the number of pages that follow each other are checked.
//
// Reading order: dbm.go, sdbm.go, berkeley.go.
package dbm
