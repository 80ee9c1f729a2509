// Package hints says what balancerd makes of a configuration beyond what httpd says: "hint:" lines about what has
// no effect here or will fail later, and the refusal of what would stand open.
//
//	directive.Config.Hints --+--> hints.go     Lines: a line a module, or a line a directive
//	doubt.go: Doubt adds -----+--> refusal.go  Refusal: why a configuration is not served at all
//	hosts.go: Unreachable adds'
//
// Read hints.go first.
package hints
