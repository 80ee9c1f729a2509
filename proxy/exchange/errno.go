package exchange

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
)

// ErrGeneral is a failure of which httpd's log says no more (APR_EGENERAL).
var ErrGeneral = errors.New("Internal error (specific information not available)")

// ModuleError is a failure that a module of httpd has a number of its own for, of which its log has no words.
type ModuleError int

func (ModuleError) Error() string { return "APR does not understand this error code" }

// ErrnoText is how httpd's error log prints the operating system's part of a failure:
// "(111)Connection refused", with APR's numbers for timeouts and ends of file (httpd: log.c).
func ErrnoText(err error) string {
	var dns *net.DNSError
	var no syscall.Errno
	var own ModuleError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrGeneral):
		return "(20014)" + ErrGeneral.Error()
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "(70007)The timeout specified has expired"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "(70008)Partial results are valid but processing is incomplete"
	case errors.Is(err, io.EOF):
		return "(70014)End of file found"
	case errors.As(err, &own):
		return "(" + strconv.Itoa(int(own)) + ")" + own.Error()
	case errors.As(err, &dns):
		return "(EAI 2)Name or service not known"
	case errors.As(err, &no):
		return "(" + strconv.Itoa(int(no)) + ")" + ErrnoWords(no)
	}
	return ""
}

// ErrnoWords is the C library's words for an operating system's error: "Connection refused" (strerror(3)).
func ErrnoWords(no syscall.Errno) string {
	s := no.Error() // Go's words begin with a small letter, the C library's with a capital
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return string(s[0]-32) + s[1:]
	}
	return s
}
