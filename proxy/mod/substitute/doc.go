// Package substitute is mod_substitute: search and replace in answers, line by line.
//
//	member's pieces --> lines     filter.go   a line that is not whole waits for its end, up to
//	                      |                   SubstituteMaxLineLength
//	                    rule 1    rule.go     all its matches in the line are replaced
//	                    rule 2                sees what came of it; behind one with q, only what lies
//	                      |                   between replacements, and each of them
//	                    client
//
// Reading order: module.go, settings.go, rule.go, filter.go.
package substitute
