// Package directive gives the words of a Tree their meaning: it walks the tree, finds each directive
// in the table of all that httpd 2.4.71 has (httpd.tsv), checks where it stands and how many words
// it has, and has the module that obeys it note the setting in a Scope.
//
//	apacheconf.Tree --Bind--> Config{ Main, VHosts }
//	                             |
//	      httpd.tsv: name, module, arity, contexts, hint      (what httpd knows)
//	      Module.Table: name -> Set                           (what we obey)
//	      Entry.Ignored, absent.go: what ignoring others means (hints; some refuse the start)
//
//	Scope: main server | virtual host | section;  Key[T] keeps one module's settings in each
//
// Reading order: table.go, scope.go, key.go, bind.go, arity.go, sections.go, limit.go, known.go, ignored.go,
// check.go, absent.go, foreign.go, access.go, files.go (what reaches the files that are named), filters.go (the names of
// filters), number.go, suggest.go.
package directive
