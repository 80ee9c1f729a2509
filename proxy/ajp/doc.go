// Package ajp is AJP 1.3 to members, servlet containers, for the scheme ajp: a backend.Codec, bytes out and bytes in
// (httpd: mod_proxy_ajp.c, ajp_header.c, ajp_msg.c). Connections, waits, the client's body and what follows a failure are
// package backend's.
//
//	server                                        container
//	CPING 0A  (ping=)              ──────────>
//	                               <──────────    CPONG 09
//	FORWARD REQUEST 02             ──────────>    (request.go, attribute.go)
//	body, at most a packet of it   ──────────>    unasked when its length is known
//	                               <──────────    GET BODY CHUNK 06: more of it
//	body                           ──────────>    an empty packet at its end
//	                               <──────────    SEND HEADERS 04 (head.go, field.go)
//	                               <──────────    SEND BODY CHUNK 03 …; an empty one: what is there may go out (body.go)
//	                               <──────────    END RESPONSE 05: whether the connection is kept
//
// Each packet has a mark and its payload's length in front; a payload longer than both sides may send is refused before it is read.
//
// Reading order: codec.go, packet.go, request.go, method.go, attribute.go, head.go, field.go, body.go, ping.go.
package ajp
