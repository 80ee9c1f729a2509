// Package expr is httpd's expression language, ap_expr: conditions for <If>, Require expr, SetEnvIfExpr,
// Header … expr= and the like, and texts with variables for ErrorDocument, Redirect, Header values.
//
//	"%{REQUEST_URI} =~ m#^/a/(.*)$# && $1 == 'b'"
//	        |
//	     scanner      scan.go       characters -> tokens, by mode: plain, in a string, in %{…}, in %{f:…}
//	        |
//	     parser       parse.go      tokens -> nodes, names looked up in the tables, httpd's error words
//	        |
//	   test, word     test.go, word.go     what a request walks: small nodes, no names, no types to ask
//	        |                |
//	        |         function.go operator.go variable.go tls.go    the tables: one line for each name
//	        v
//	 Expr.Match, String.Eval
//
// Compiling happens at load. Evaluating allocates nothing unless a text has to be made, and then in the
// exchange's arena.
//
// Reading order: expr.go, parse.go, token.go, scan.go, test.go, word.go, the tables, then the matchers they use
// (subnet.go, file.go, certificate.go with name.go).
package expr
