// Package pattern compiles the regular expressions of a configuration. Go's own engine, which takes
// time proportional to the subject, runs all that it can take; the others (look-around, back
// references, possessive quantifiers) go to a backtracking engine with limits.
//
//	expression --Compile--> literal text that decides? --no--> Go's regexp --can't--> regexp2, 50 ms
//
// Reading order: pattern.go.
package pattern
