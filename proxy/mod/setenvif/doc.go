// Package setenvif is mod_setenvif and mod_env: variables of the request, set by what it looks like
// or always.
//
//	SetEnvIf at server level --> Early   the path is still as received
//	SetEnvIf in sections     --> Parse   the path is decoded, the sections are known
//	SetEnv, PassEnv          --> Fixup   too late for whoever asked before: access rules, no-proxy
//
// Reading order: module.go, rule.go, list.go, env.go.
package setenvif
