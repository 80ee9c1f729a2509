// Package status is httpd's mod_status: the handler "server-status", a page for people and ?auto for
// machines (apache_exporter, telegraf, munin and their like read it by key).
//
//	Scoreboard --.                      .--> auto.go   Key: value lines
//	             +--> View (view.go) ---+
//	Proxy rows --'                      '--> page.go   page.html
//
// Read scoreboard.go (what the server must tell), then view.go, then the two ways to print it;
// module.go is the handler and number.go httpd's ways of writing numbers.
package status
