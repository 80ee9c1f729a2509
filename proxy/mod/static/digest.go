package static

import (
	"crypto/md5"
	"encoding/base64"
	"io"
	"os"
)

// contentMD5 is the digest of ContentDigest On (RFC 1864).
func contentMD5(f *os.File, size int64) string {
	h := md5.New()
	io.Copy(h, io.NewSectionReader(f, 0, size))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
