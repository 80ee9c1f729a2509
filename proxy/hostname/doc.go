// Package hostname remembers the host names of clients: HostnameLookups in logs, Require host, Allow from NAME.
//
//	address --Of--> known for a while? --no--> the name server is asked, off the event loop
//
// Read cache.go.
package hostname
