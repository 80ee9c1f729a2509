// Package proxy holds the packages that serve requests; it has no code of its own.
//
//	client                                                                    member
//	  |                                                                          ^
//	  v                                                                          |
//	http1, http2 ----> exchange ----> site ----------> upstream -----> backend --+
//	bytes to a         one request,   host, sections,  ProxyPass,      pools; codecs: http1,
//	request and        its response   one Plan;        pick, failover  ajp, fcgi, scgi, uwsgi;
//	back                              its phases                       http2 with its streams
//	  |                                  ^
//	internal/loop                     mod/*: a module's directives put steps
//	an event loop a processor         and handlers into Plans
//
// Read exchange/doc.go first, then site/doc.go, upstream/doc.go and backend/doc.go; a module as an example is
// mod/setenvif, the configuration of what is proxied is mod/proxy. Words that stand for one thing in all of them:
//
//	The configuration
//	directive    a line of the configuration; a row of its module's table says where it may stand and what it does
//	section      <Location>, <Directory>, <Files>, <If>, <Proxy> and their like: directives for some of the requests
//	access file  a .htaccess file: the settings of the folder that it lies in, read when a request comes there
//	scope        the settings of one server or section, under a key for each module
//	chain        the scopes that apply to a request, outermost first; what they say is merged in this order
//	host         a virtual host or the main server, with its names, addresses and sections (httpd: server_rec)
//	server       what a host says about connections and logs (exchange.Server); also the running whole
//	site         all hosts of a configuration, ready to serve; a reload puts another one in its place
//	module       a table of directives and an Open that prepares the site and returns a Builder of Plans
//	plan         what a chain's modules do, compiled: the steps of each phase, and the handlers
//
//	A request
//	exchange     a request and its response, from the head's first byte until both are logged (httpd: request_rec)
//	phase        a point in a request's life at which modules act: translate, access, fixup, reply, log …
//	step         what one module does in one phase
//	handler      who makes the response: upstream, a file, the manager (httpd: r->handler)
//	filter       what changes a body on its way, in or out
//	source       where the bytes of a response's body come from; it is pulled
//	splice       moving a body between two sockets in the kernel
//	kept answer  an answer that a cache holds and gives again (proxy/cache, mod/cache)
//	subrequest   a look at what another path would be answered with (httpd: sub_req_lookup_uri)
//
//	Upstream
//	member       a server behind this one, as an operator speaks of it
//	worker       a member's URL with settings and state (httpd: proxy_worker); alone or in a balancer
//	balancer     workers that share the requests to balancer://name
//	lbmethod     how a balancer chooses: byrequests, bytraffic, bybusyness, heartbeat
//	candidate    a worker that the lbmethod may choose: usable, and of the set and the spares in turn
//	route        a worker's name in session ids, route=; in upstream also a ProxyPass line, compiled
//	session      what keeps a client with a route: a cookie or a URL parameter (stickysession=)
//	lbset        workers with a lower set are tried first; spare: only when no other worker is usable (status=+R);
//	             standby: when no spare is either (status=+H)
//	claim        a choice that holds: the worker counts as busy until the exchange ends
//	attempt      one try to get a response from one worker
//	check        a question to a member beside the traffic, by hc* parameters (mod/hcheck)
//	remote       another proxy on the way to a member (ProxyRemote)
//	forward      said of CONNECT, or a request whose target is a whole URL of another server (ProxyRequests)
//	pool         the connections to one worker, idle and in use
//	codec        how a member protocol writes a request and reads a response
//	failure      why an attempt brought no response; its kind is the point where it happened
//	outcome      what a failure means: the client's status, the worker's state, whether another worker is tried
//
//	Running
//	event loop   one goroutine a processor that waits for sockets and serves what is ready; it must never block. Few
//	             serve while there is little to do
//	off-loop     on a goroutine of its own, where blocking calls (disk, DNS, hashes) are allowed
//	snapshot     one reading of what connections, members and pools do: what pages and figures are made of
//	sink         where log lines end: a file, a program, the system's log
package proxy
