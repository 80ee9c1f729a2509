// Package site turns a bound configuration into what the server does: virtual hosts, their sections,
// and one compiled Plan for each combination of sections that a request can meet.
//
//	directive.Config --Build--> Site (immutable, swapped as a whole)
//
//	one exchange:
//
//	 address, Host --> Host            host.go     which virtual host
//	      |
//	    Early                          serve.go    before anything is known of the path
//	      |
//	 decode, normalise                 path.go     /a//b/../%41 -> /a/A
//	      |
//	 <Location> walk --> Plan 1        section.go  which sections match; chain.go: their plan
//	      |
//	 PreTranslate, Translate           proxy? alias? a file?
//	      |
//	 <Directory> <Files> or <Proxy>, <Location>, <If> --> Plan 2
//	      |
//	 Parse Access Fixup Handler Reply  (an error anywhere: fail.go, page.go)
//	      |
//	 the front sends, then Log         Done
//
// Reading order: module.go, plan.go, site.go, serve.go, run.go, host.go, section.go, list.go (which of many may hold),
// walk.go (which do), chain.go, contribution.go (what plans are made of), keeper.go (how many chains are kept), alias.go
// (names with wildcards), path.go, fail.go, page.go, probe.go (what -U and -F ask).
package site
