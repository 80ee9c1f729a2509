// Package file keeps balancers in a directory: one readable JSON file each.
//
//	Save   record -> x.json.tmp -> fsync -> rename x.json -> fsync of the directory
//	                                          ^
//	                a damaged x.json goes to x.json.bad first
//	Load   *.json -> records; what is damaged is told and left alone
//
// Read store.go, then encode.go.
package file
