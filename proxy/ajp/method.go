package ajp

// storedMethod stands for a method whose name is an attribute.
const storedMethod = 0xFF

// methods are those with a number. ACL and SEARCH have one, too, which httpd does not use.
var methods = map[string]byte{
	"OPTIONS": 1, "GET": 2, "HEAD": 3, "POST": 4, "PUT": 5, "DELETE": 6, "TRACE": 7, "PROPFIND": 8, "PROPPATCH": 9, "MKCOL": 10,
	"COPY": 11, "MOVE": 12, "LOCK": 13, "UNLOCK": 14, "REPORT": 16, "VERSION-CONTROL": 17, "CHECKIN": 18, "CHECKOUT": 19,
	"UNCHECKOUT": 20, "MKWORKSPACE": 22, "UPDATE": 23, "LABEL": 24, "MERGE": 25, "BASELINE-CONTROL": 26, "MKACTIVITY": 27,
}
