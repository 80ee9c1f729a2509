// Package apacheconf reads the text of an Apache httpd configuration into a Tree. It knows no
// directive but those that act while the text is read.
//
//	file --splitLines--> logical lines --grammar--> items --reader--> Tree
//	                     (continuation)             (comment,        (sections nested; Define, Include,
//	                                                 <open, </close,  If…, Macro, LoadModule obeyed)
//	                                                 directive)
//
// What is odd in the syntax, and kept: a comment that ends in a backslash swallows the next line;
// there are no comments behind a directive; a missing closing quote is no error; variables are put
// in before words are split; a condition that holds may stay open at the end of its file; an error
// of the reading, wherever it is, comes before any error of the walk.
//
// Reading order: tree.go, parse.go, reader.go, then lines.go, words.go, grammar.go, expand.go,
// cond.go, include.go, macro.go, readtime.go, access.go, print.go, binary.go, error.go.
package apacheconf
