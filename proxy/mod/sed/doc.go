// Package sed is mod_sed: answers and request bodies pass through a sed script, line by line.
//
//	OutputSed s/a/b/     --compile.go-->  commands, each with addresses, an expression, a jump    script.go
//	OutputSed $!N;P;D                     the directives of a scope are one script
//
//	pieces of a body --> a line --> pattern space --> command after command --> what is printed
//	    filter.go                     hold space       machine.go, commands.go
//
// It is Solaris' sed, not POSIX' or GNU's: expressions know \( \) * \{ \} . [ ] ^ $ and \1 (expr.go, match.go), a newline
// can't stand in a replacement, and the last line is ended if it is not. Its a, c and i can't be written in a configuration.
//
// The machine stops when much has come of a piece, in the middle of a script if need be, and goes on when that was taken: a
// line and the hold space are all that it keeps. It counts what it does, and ends a script that goes on for ever; one that gathers
// lines until there is what it waits for has each of them looked at once.
//
// Reading order: module.go, settings.go, script.go, compile.go, expr.go, match.go, machine.go, commands.go, list.go,
// files.go, filter.go.
package sed
