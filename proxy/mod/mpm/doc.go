// Package mpm obeys what httpd's process managers (event, worker, prefork) and mod_unixd say of the process: where it
// listens, as whom it runs, where its id is written. What they say of threads and processes is only shown.
//
//	Listen             --> site.Listeners   (listen.go)
//	User, Group        --> site.Settings    (user.go)
//	PidFile and others --> site.Settings    (settings.go)
//
// Reading order: module.go, settings.go, listen.go, user.go.
package mpm
