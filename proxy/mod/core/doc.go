// Package core obeys the directives of httpd's core that the data plane needs: names and limits of servers, what sections
// say about logging, error documents and handlers. Its part in serving files is proxy/mod/static.
//
//	ServerTokens …               --> site.Settings                   (global.go)
//	ServerName, Timeout, Limit…  --> exchange.Server, one a host     (server.go, names.go)
//	LogLevel, ErrorDocument …    --> exchange.Local, one a chain     (dir.go, errordoc.go, loglevel.go)
//	<If>, SetHandler             --> site's conditions and handlers  (dir.go)
//
// Reading order: module.go, open.go, server.go, dir.go, then the others.
package core
