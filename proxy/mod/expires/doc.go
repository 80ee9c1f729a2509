// Package expires is mod_expires: dates of expiry for answers that have none.
//
//	ExpiresByType image/png "access plus 1 month" --> code {base, seconds}   code.go
//	                                                      |
//	an answer below 400 without Expires --> its type, major/*, the default   reply.go
//	                                                      |
//	                              Expires: …    Cache-Control: …, max-age=…
//
// It acts as the filter MOD_EXPIRES does in httpd: between what changes contents and what codes them, and on own pages
// of redirects.
//
// Reading order: module.go, settings.go, code.go, reply.go.
package expires
