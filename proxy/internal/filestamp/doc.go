// Package filestamp tells whether a file that was read has changed since: for access files, files of users and groups,
// and the text files of RewriteMaps.
//
//	read(name) at a time  -->  what it says, Of(its FileInfo), the time     kept
//	a request: stat(name) -->  Of = the kept one, and not MayHide(the time): it still says so
//
// Reading order: stamp.go, ctim.go, ctimespec.go (one of both is built).
package filestamp
