// Package proxyhtml is mod_proxy_html with mod_xml2enc: links in members' pages are made those that clients can follow.
//
//	member's page, in pieces
//	    |  charset -> UTF-8            charset.go   Content-Type, byte order mark, <meta>, xml2EncDefault
//	  tokens (golang.org/x/net/html)   page.go      text and markup pass as they were written
//	    |  start tags                  tag.go       values of link and event attributes
//	    |  scripts and styles          rule.go      ProxyHTMLURLMap
//	  UTF-8 -> ProxyHTMLCharsetOut
//	    |
//	  client
//
// The rules, their conditions and what they hold of variables are those of the request (rule.go). A token that
// is too long to be held (mostToken) passes with all that follows as it is.
//
// Reading order: module.go, settings.go, merge.go, rule.go, filter.go, charset.go, page.go, tag.go.
package proxyhtml
