// Package status is httpd's mod_status: the handler "server-status", a page for people and ?auto for
// machines (apache_exporter, telegraf, munin and their like read it by key).
//
//	server.Server --> connections.go --> Scoreboard --.                      .--> auto.go   Key: value lines
//	                                                  +--> view (view.go) ---+
//	balancer.Farm --> members.go ------> Proxy rows --'                      '--> page.go   page.html
//
// Read scoreboard.go (what the server must tell), then view.go, then the two ways to print it;
// module.go and handler.go are the handler, number.go httpd's ways of writing numbers, usage.go the process's times.
package status
