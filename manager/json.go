package manager

import (
	"encoding/json"
	"io"
)

// writeJSON prints the view for programs:
//
//	{"server": "lb.test", "version": "Apache/2.4.71 (Debian)", "built": "…", "persisted": false,
//	 "balancers": [
//	   {"name": "app", "id": "p59bfe437_app", "nonce": "…", "path": "/app/", "active": true,
//	    "max_members": 8, "used_members": 4,
//	    "settings": {"lbmethod": "byrequests", "timeout": "2", …},
//	    "members": [
//	      {"name": "http://10.0.0.1:8080", "url": "http://10.0.0.1:8080", "scheme": "http", "host": "10.0.0.1", "port": 8080,
//	       "status": ["Init", "Ok"], "usable": true, "elected": 7, "busy": 0, "load": 0,
//	       "bytes_sent": 1351, "bytes_received": 21105, "retries": 0, "error_time": "2026-11-21T05:08:59Z",
//	       "checks_passed": 0, "checks_failed": 0,
//	       "settings": {"loadfactor": "2.00", "route": "n1", "retry": "5", …}}]}]}
//
// settings are texts, by the names and in the form of the configuration, and only those that are
// set; error_time is left out when there was no error. Members added in later versions are at no
// fixed place: read by name.
func writeJSON(w io.Writer, p *view) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(p)
}
