// Package file keeps balancers in a directory: two readable JSON files each. An edit writes the one, time
// passing the other.
//
//	x.json   settings: what operators mean, with a revision that grows with each edit
//	x.state  state: what happened to the members at this node
//
//	SaveSettings  record -> x.json.tmp -> fsync -> rename x.json -> fsync of the directory
//	                                                 ^
//	                       a damaged x.json goes to x.json.bad first
//	SaveStates    records -> all x.state.tmp -> fsync each -> rename all -> one fsync of the directory
//	Load          x.json + x.state -> records; what is damaged is said and left alone
//
// A file of version 1 held both halves: Load reads it, and SaveSettings makes two files of it.
//
// Read store.go, then encode.go; version1.go is the old format.
package file
