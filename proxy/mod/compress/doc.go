// Package compress is mod_deflate and mod_brotli: answers are packed for clients that take that, packed ones and requests
// unpacked.
//
//	answer --> DEFLATE          gzip for who accepts it           negotiate.go, coder.go, gzip.go
//	answer --> BROTLI_COMPRESS  br                                negotiate.go, coder.go, brotli.go
//	answer --> INFLATE          plain again                       inflate.go   \
//	request -> DEFLATE          plain before a member gets it     request.go   / gunzip.go: bounded
//
// Coders are kept and used again (pool.go). What is unpacked comes in pieces, however dense it was packed, and
// at most so dense as DeflateInflateRatioLimit lets it be.
//
// Reading order: module.go, settings.go, negotiate.go, token.go, coder.go, gzip.go, brotli.go, pool.go, gunzip.go, unpack.go, inflate.go, request.go.
package compress
