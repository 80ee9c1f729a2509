// Package express is mod_proxy_express: which member a host's requests go to stands in a DBM table.
//
//	Translate, behind ProxyPass:  the server's name --> dbm.Type.Find --> "http://member" + the path, for mod_proxy's handler
//
// The table is opened with each request, as httpd does: what is in it now counts.
//
// Reading order: module.go, table.go.
package express
