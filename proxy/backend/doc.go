// Package backend has members answer. It finds the Backend of a scheme, resolves, connects, keeps connections, and
// makes attempts: for all member protocols in the same way.
//
//	upstream ── RoundTrip ──> Table ── by scheme ──> Exchange: attempts ── Open ──> Protocol
//	                                                    |                             |
//	             states of an attempt (attempt.go):     | Start, Wait, Feed, Accept   | Serial, http2/client
//	             start ─> wait ─> … ─> response         v                             v
//	                                                  Stream <──────────────────── one of a connection's
//	                                                    ^
//	        a Codec: http1/client, ── bytes ── SerialStream ── Acquire ── pool: idle, newest on top ── none ──> dial, TLS
//	        ajp, fcgi, scgi, uwsgi             (the client's body: Upload)  (attached to balancer.Worker,
//	                                                                         so that it outlives reloads)
//
// A new member protocol with one request at a time on a connection is a Codec: read codec.go, and http1/client, which
// is one. One with many streams on a connection implements Protocol and Stream.
//
// All pools are in one account of the process (idle.go): a descriptor that is needed (room.go) takes the
// place of the connection that idled longest, anywhere, and a sweep closes what nobody will use again.
//
// Reading order: backend.go, call.go, scheme.go; attempt.go, codec.go, serial.go, probe.go, upload.go, serialupload.go,
// serialhead.go, headbuffer.go, serialbody.go, reuse.go, observe.go; pool.go, idlelist.go, idle.go, room.go, conn.go, dial.go, dialer.go, dialer_linux.go, remote.go, announce.go, connect.go,
// address.go, options.go (of sockets), own_linux.go (sockets that the event loops watch), splice_linux.go, tunnel.go, tunnellog.go.
package backend
