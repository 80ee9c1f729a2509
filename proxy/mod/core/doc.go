// Package core obeys the directives of httpd's core, its process management and mod_reqtimeout that
// the data plane needs: names and limits of servers, what sections say about logging, error
// documents and handlers, the addresses to listen on.
//
//	Listen, PidFile, User …      --> site.Settings, site.Listeners   (process.go, listen.go)
//	ServerName, Timeout, Limit…  --> exchange.Server, one a host     (server.go, names.go)
//	LogLevel, ErrorDocument …    --> exchange.Local, one a chain     (dir.go, errordoc.go, loglevel.go)
//	<If>, SetHandler             --> site's conditions and handlers  (dir.go)
//
// Reading order: module.go, server.go, dir.go, then the others.
package core
