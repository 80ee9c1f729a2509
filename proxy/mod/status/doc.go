// Package status is httpd's mod_status: the handler "server-status", a page for people and ?auto for
// machines (apache_exporter, telegraf, munin and their like read it by key).
//
//	proxy/snapshot --> view (view.go), as httpd counts (scoreboard.go) --+--> auto.go            Key: value lines
//	usage.go: the process's times, the machine's load -------------------'--> page.go, rows.go   page.html
//
// Read view.go and scoreboard.go, then the two ways to print them; module.go and handler.go are the handler, text.go the
// page's fixed lines around its rows, number.go httpd's ways of writing numbers.
package status
