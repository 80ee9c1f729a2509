// Package apr writes what httpd's pages have from the Apache Portable Runtime, letter for letter.
//
// Read size.go.
package apr
