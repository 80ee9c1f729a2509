package ajp

import (
	"balancerd/proxy/internal/wire"
)

// requestCodes are the names of a request's fields that go as a number, in any case.
var requestCodes = [...]string{"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization", "Connection",
	"Content-Type", "Content-Length", "Cookie", "Cookie2", "Host", "Pragma", "Referer", "User-Agent"}

// answerCodes are those of an answer's.
var answerCodes = [...]string{"Content-Type", "Content-Language", "Content-Length", "Date", "Last-Modified", "Location",
	"Set-Cookie", "Set-Cookie2", "Servlet-Engine", "Status", "WWW-Authenticate"}

// firstCode is that of the first name of either list.
const firstCode = 0xA001

// requestCode is a name's number, 0 for none.
func requestCode(name string) int {
	if !codedLength[min(len(name), len(codedLength)-1)] {
		return 0
	}
	for i, n := range requestCodes {
		if len(n) == len(name) && wire.EqualFold(n, name) {
			return firstCode + i
		}
	}
	return 0
}

// codedLength tells by its length that a name is not coded.
var codedLength = func() (t [24]bool) {
	for _, n := range requestCodes {
		t[len(n)] = true
	}
	return t
}()

// answerName is the name of a number, "" for none.
func answerName(code int) string {
	if i := code - firstCode; i >= 0 && i < len(answerCodes) {
		return answerCodes[i]
	}
	return ""
}
