// Package pattern compiles the regular expressions of a configuration. They are PCRE's, and they match bytes. At the
// load each expression is looked through for what a subject needs to match: a length, texts at its ends or anywhere.
// Most subjects are decided by that. Go's own engine, which takes time proportional to the subject, runs all other
// expressions that it can take; the rest (look-behind, back references, possessive quantifiers) goes to a backtracking
// engine with limits.
//
//	expression --translate--> Go's spelling -----require--> what a subject needs
//	                          (bytes beyond ASCII go as private runes)
//	subject ----> has it what it needs? --yes--> look-ahead at one place --holds--> Go's engine --> regexp2, 50 ms
//	                  no: no match                                           (each only where it is needed)
//	many expressions, one subject: Set, one search for the texts that all of them need
//
// Reading order: pattern.go, translate.go, escape.go, group.go, class.go, set.go; require.go, literals.go, finder.go,
// many.go; shell.go.
package pattern
