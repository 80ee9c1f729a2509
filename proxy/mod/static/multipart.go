package static

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"

	"balancerd/proxy/exchange"
)

// multipart makes s several spans in one body, each with its own head
// (RFC 9110 section 14.6; httpd: byterange_filter.c ap_byterange_filter).
func (p *plan) multipart(x *exchange.Exchange, s *source, spans []span) {
	head := "\r\n--" + p.boundary + "\r\n"
	if t := p.charset(x.Res.Header.Get("Content-Type")); t != "" {
		head += "Content-type: " + t + "\r\n"
	}
	head += "Content-range: bytes "
	s.pieces = s.pieces[:0]
	for _, sp := range spans {
		s.pieces = append(s.pieces, piece{text: head + sp.text(s.doc.size) + "\r\n\r\n"}, piece{off: sp.first, n: sp.last - sp.first + 1})
	}
	s.pieces = append(s.pieces, piece{text: "\r\n--" + p.boundary + "--\r\n"})
	x.Res.Header.Set("Content-Type", "multipart/byteranges; boundary="+p.boundary)
}

// newBoundary is 16 hexadecimal digits that no document is likely to contain.
func newBoundary() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// contentMD5 is the digest of ContentDigest On (RFC 1864).
func contentMD5(f *os.File, size int64) string {
	h := md5.New()
	io.Copy(h, io.NewSectionReader(f, 0, size))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
