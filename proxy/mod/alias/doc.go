// Package alias is mod_alias: Redirect sends the client elsewhere, Alias maps a path to a file outside
// DocumentRoot.
//
//	Translate  after the proxy's           Redirect of the <Location>, Redirects of the server,
//	                                       Alias of the <Location>, Aliases of the server
//	Fixup      the request may be proxied  Redirects of the sections in force
//
// So at server level ProxyPass wins over Redirect, and in a <Location> Redirect wins over ProxyPass.
//
// Reading order: module.go, settings.go, redirect.go, alias.go, target.go.
package alias
