package exchange

import (
	"errors"
	"strconv"
)

// Status is an HTTP status as an error: a step or handler returns it to have the site answer with
// its ErrorDocument or own page.
type Status int

func (s Status) Error() string { return strconv.Itoa(int(s)) + " " + ReasonOf(int(s)) }

// Stop ends a phase early: the step that returns it has settled the matter (httpd: OK from a
// RUN_FIRST hook).
var Stop = errors.New("phase settled")

// Declined is returned by a handler that does not serve this request after all.
var Declined = errors.New("declined")

// AnswerMade is returned by a step of Types, Fixup or Insert that has made the answer itself: no later phase is run,
// and no handler (httpd: OK from a quick handler).
var AnswerMade = errors.New("answer made")

// Redirect has the site serve another local path in place of this one (httpd: ap_internal_redirect).
type Redirect struct {
	Path  string    // path as a request line has it, with "?query" when there is one
	Found *Exchange // instead: what a lookup found is to be served in the exchange's place (DirectoryIndex)

	KeepVary bool // the Vary that the answer has so far stays (httpd: note redirect-keeps-vary)
	Status   int  // that the answer has nevertheless: of a redirect that a later rule took back; 0 for none
}

// RedirectHandler is the name of the handler that x.Handler has where rules have given a file another path, which it
// redirects to (httpd: mod_rewrite.c handler_redirect).
const RedirectHandler = "redirect-handler"

func (r *Redirect) Error() string { return "internal redirect to " + r.Path }

// Problem is a Status with the words for the page and the reason: httpd's proxy errors.
type Problem struct {
	Status   Status
	Reason   string // replaces the standard words in the status line and page
	Wordless bool   // it stands for a member's answer without a reason, of which our own page says so
	Note     string // HTML for the page
}

func (p *Problem) Error() string { return p.Status.Error() }

// ReasonOf is httpd's words for a status line, e.g. "Request-URI Too Long"; "" for a status that
// it does not know (httpd: http_protocol.c status_lines).
func ReasonOf(status int) string { return reasons[status] }

// Known reports whether httpd has words for the status, i.e. ErrorDocument and Redirect take it.
func Known(status int) bool { return reasons[status] != "" }

var reasons = map[int]string{
	100: "Continue", 101: "Switching Protocols", 102: "Processing", 103: "Early Hints",
	200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content",
	205: "Reset Content", 206: "Partial Content", 207: "Multi-Status", 208: "Already Reported", 226: "IM Used",
	300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
	305: "Use Proxy", 307: "Temporary Redirect", 308: "Permanent Redirect",
	400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
	405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
	409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed", 413: "Request Entity Too Large",
	414: "Request-URI Too Long", 415: "Unsupported Media Type", 416: "Requested Range Not Satisfiable",
	417: "Expectation Failed", 421: "Misdirected Request", 422: "Unprocessable Entity",
	423: "Locked", 424: "Failed Dependency", 426: "Upgrade Required", 428: "Precondition Required",
	429: "Too Many Requests", 431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons",
	500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
	504: "Gateway Timeout", 505: "HTTP Version Not Supported", 506: "Variant Also Negotiates",
	507: "Insufficient Storage", 508: "Loop Detected", 510: "Not Extended", 511: "Network Authentication Required",
}

// Closes reports whether httpd ends the client's connection after an answer with this status
// (httpd: httpd.h ap_status_drops_connection).
func Closes(status int) bool {
	switch status {
	case 400, 408, 411, 413, 414, 500, 501, 503:
		return true
	}
	return false
}
