// Package memory keeps what balancers and members are and count in files that have no name and are
// nowhere on a disk: whoever holds a descriptor of one can read it when the process that wrote it is dead.
//
//	Farm --Rows--> table: magic, number, keys, rows     mapped; counters are written in place
//	     --Edits-> settings records (gob)               a file an edit
//	                  |
//	                  keep(kind, file) ---> main process holds it ---> Load in the next serving process
//
// A file is whole before it is handed over, and takes the place of the one before: a process that dies
// in between leaves that one.
//
// Read memory.go; unnamed_linux.go and unnamed_other.go make the files.
package memory
