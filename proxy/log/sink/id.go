package sink

import (
	"encoding/base64"
	"encoding/binary"
	"os"
	"time"
)

// ID is %L: eleven letters that lines of the access log and the error log share. They mix the
// request's beginning with the process and the connection; the zero time makes the connection's own
// (httpd: log.c core_generate_log_id).
func ID(at time.Time, conn uint64) string {
	n := conn<<32 ^ uint64(os.Getpid())<<40
	if at.IsZero() {
		n ^= conn
	} else {
		n ^= uint64(at.UnixMicro())
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	return base64.RawStdEncoding.EncodeToString(b[:])
}
