// Package file keeps balancers in a directory: two journals with a line of JSON for each change, of which the last
// of a balancer counts. Edits write the one, time passing the other.
//
//	settings.json   what operators mean, with a revision that grows with each edit
//	states.json     what happened to the members at this node
//
//	SaveSettings, SaveStates   records -> lines -> behind the end -> fsync
//	                                        \-> x.json.tmp, all that counts -> fsync -> rename x.json -> fsync of
//	                                            the directory: where too little of the file counts, or the file is
//	                                            not as it was left, and once at the beginning
//	Load                       lines, files of earlier versions -> records; what is damaged is said and left alone
//
// A damaged journal is set aside as x.json.bad when the first save makes a new one of its good lines. Versions 1 and 2
// had files for each balancer: Load reads them, and the first save makes lines of them.
//
// Read store.go, journal.go (a file of lines), encode.go (a line), then files.go and version1.go, the old formats.
package file
