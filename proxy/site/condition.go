package site

import (
	"balancerd/apacheconf/directive"
	"balancerd/proxy/expr"
)

// ExprOptions are how an expression in a scope is read whose failures are a module's log lines ("authz_core"): SSL_
// variables are there when mod_ssl is loaded, file() and filesize() are not in an access file.
func ExprOptions(s *directive.Scope, module string) expr.Options {
	return expr.Options{Module: module, AccessFile: s.Config.InAccessFile(), NoTLS: !s.Config.Loaded("mod_ssl.c")}
}
