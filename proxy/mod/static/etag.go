package static

import (
	"crypto/sha1"
	"encoding/base64"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
)

// etagBits is what FileETag puts into an ETag.
type etagBits uint8

const (
	etagMTime etagBits = 1 << iota
	etagInode
	etagSize
	etagDigest
	etagNone

	etagAll     = etagMTime | etagInode | etagSize
	etagDefault = etagMTime | etagSize
)

// etag is the entity tag of a file: its size and time in hexadecimal, or a digest; weak while the file
// is so young that it could change again unnoticed (httpd: http_etag.c ap_make_etag_ex). "" for none.
func etag(bits etagBits, f *os.File, fi os.FileInfo, now time.Time) (string, error) {
	if bits&etagDigest != 0 {
		return digest(f)
	}
	if bits&etagNone != 0 {
		return "", nil
	}
	b := make([]byte, 0, 40)
	if now.Sub(fi.ModTime()) < time.Second {
		b = append(b, "W/"...)
	}
	b = append(b, '"')
	first := true
	part := func(bit etagBits, v uint64) {
		if bits&bit == 0 {
			return
		}
		if !first {
			b = append(b, '-')
		}
		b, first = strconv.AppendUint(b, v, 16), false
	}
	part(etagInode, inode(fi))
	part(etagSize, uint64(fi.Size()))
	part(etagMTime, uint64(fi.ModTime().UnixMicro()))
	return string(append(b, '"')), nil
}

func inode(fi os.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// digest is a strong tag of the content, read through once.
func digest(f *os.File) (string, error) {
	h := sha1.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, 1<<62)); err != nil {
		return "", err
	}
	return `"` + base64.StdEncoding.EncodeToString(h.Sum(nil)) + `"`, nil
}

// now is when the request came: what ages are measured against.
func now(x *exchange.Exchange) time.Time {
	if x.Start.IsZero() {
		return time.Now()
	}
	return x.Start
}
