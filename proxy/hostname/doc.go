// Package hostname remembers the host names of addresses (HostnameLookups in logs, Require host, Allow from NAME,
// UseCanonicalName DNS), and reads addresses that stand where names may.
//
//	address --Of--> known for a while? --no--> the name server is asked, off the event loop
//
// Read cache.go, then figures.go.
package hostname
