// Package manager is httpd's balancer-manager: a page, an XML and a JSON document over a farm of
// balancers, and the edits that its forms post. It is an ordinary http.Handler.
//
//	 request --> handler.go: method, form.go: what it asks, access.go: may it? apply.go
//	                 |
//	            balancer.Change --Apply--> Farm
//	                 |
//	Farm --view.go--> view --> html.go (style.go, edit.go, edithtml.go) | xml.go | json.go
//	                             |           out.go, url.go: texts and their escapes
//	                             '--> document.go --piece by piece, as it is read--> the client
//
// The page's lines are httpd's: programs of fifteen years read them, by table, cell and line. Its
// looks are in its style element alone, down to the colour of a status.
//
// # For programs
//
// Everything that httpd's manager understands works: GET with b, w, nonce and xml; POST with the
// forms' fields; a Referer of the same host, the balancer's nonce. Besides:
//
//   - ?json=1, or Accept: application/json, gives the JSON document that json.go describes. Reading
//     it needs no Referer. A POST that asks for it is answered with its new state, or with
//     {"error": ...} and 400, 403 or 404 where the page answers 200 and changes nothing.
//   - The header X-Balancer-Nonce with the nonce of the balancer b stands for both Referer and
//     nonce: no browser sends it to another site unasked.
//   - /balancer-manager/NAME shows the balancer NAME alone.
//
// Read facts.go (what the server tells of a request), handler.go, then form.go, access.go, apply.go and view.go, then one of the three ways to print it;
// notice.go and session.go tell a browser what its last edit did.
package manager
