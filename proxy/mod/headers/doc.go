// Package headers is mod_headers: Header edits the response's fields, RequestHeader the request's.
//
//	"Header always set X-A %{E}e env=E"
//	      |  directive.go: words -> edit{action, name, value, when}
//	      v
//	scope's lists: request, response, always          module.go: joined along the chain, outer first
//	      |
//	      +-- with early --> Early    before the path is known; server level only
//	      +-- request    --> Fixup    before the member or file is asked
//	      +-- response   --> Reply    first always on Res.Always, then the others on Res.Header;
//	                                  on an error page of our own only always   (reply.go)
//
// Reading order: module.go, edit.go, action.go, directive.go, value.go, reply.go, load.go.
package headers
