// Package auth decides who may ask for what: httpd's mod_authz_core with its providers, mod_access_compat,
// mod_auth_basic and the files of users and groups.
//
//	sections in force, merged                                       settings.go, require.go
//	    |  compiled once a chain of scopes; "granted" compiles to nothing
//	    v
//	gate                                                            gate.go
//	  |- Order, Allow, Deny           may this address come in?     access.go, network.go, hostname.go
//	  |- Require tree, no user yet    granted: done                 rule.go, provider.go
//	  |                               denied: 403
//	  |                               needs a user:
//	  |- AuthType Basic               name and password             basic.go, users.go, password.go, queue.go
//	  '- Require tree, with the user  granted, or 401               groups.go
//
// Satisfy Any lets either of the first two be enough.
//
// Reading order: modules.go, settings.go, require.go, rule.go, provider.go, requirehost.go, gate.go,
// access.go, network.go, hostname.go, methods.go, basic.go, files.go, users.go, password.go, queue.go,
// memory.go, bcrypt.go, groups.go, named.go, descrypt.go, destables.go.
package auth
