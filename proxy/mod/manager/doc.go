// Package manager is the handler "balancer-manager" of httpd's mod_proxy_balancer: it puts the pages of
// balancerd/manager, which know no configuration, into a site.
//
//	SetHandler balancer-manager --> Module (module.go) --> manager.Handler
//	                                  facts of the virtual host (facts.go) --^
package manager
