// Package pattern compiles the regular expressions of a configuration. They are PCRE's, and they match
// bytes. Go's own engine, which takes time proportional to the subject, runs all that it can take; the
// others (look-around, back references, possessive quantifiers) go to a backtracking engine with limits.
//
//	expression --translate--> literal text that decides? --no--> Go's regexp --can't--> regexp2, 50 ms
//	                                                       (bytes beyond ASCII go as private runes)
//
// Reading order: pattern.go, translate.go, group.go, class.go, set.go; shell.go.
package pattern
