// Package actions is mod_actions: requests that a path of this server serves in place of what they are mapped to.
//
//	the handler's name, or else the media type -- Action --+
//	                                                        +--> internal redirect to  path of the script + the request's path
//	the method ------------------------------- Script -----+
//
// The path is mostly one that leads to a FastCGI member. A handler of this server that has the name goes first.
//
// Reading order: module.go, redirect.go.
package actions
