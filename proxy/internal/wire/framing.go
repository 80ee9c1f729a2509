package wire

// RequestFraming decides where a request's body ends (RFC 9112 section 6.3, stricter: what could be
// read in two ways is refused; httpd: protocol.c ap_read_request, mod_proxy_http.c
// ap_proxy_http_prefetch). It sets Length, HasLength and Both, and drops a Content-Length that does
// not count. h has one field for each name.
func (r *Request) RequestFraming(h *Header) error {
	if !r.Seen.Has(ContentLength, TransferEncoding) {
		return nil
	}
	length, coding := h.IndexID(ContentLength), h.IndexID(TransferEncoding)
	if length >= 0 {
		n, ok := ParseLength(h.F[length].Value)
		if !ok {
			return refuse(400, Debug, "AH10242: client sent invalid Content-Length (", h.F[length].Value, "): ", r.RawPath)
		}
		r.Length, r.HasLength = n, true
	}
	if coding < 0 {
		return nil
	}
	value := h.F[coding].Value
	switch {
	case !EqualFold(lastElement(value), "chunked"), r.Major == 1 && r.Minor == 0: // HTTP/1.0 has no codings, whoever adds one means harm
		return refuse(400, Debug, "AH02539: client sent unknown Transfer-Encoding (", value, "): ", r.RawPath)
	case !EqualFold(value, "chunked"):
		return refuse(500, Error, "AH01093: ", value, " Transfer-Encoding is not supported")
	}
	r.Length = -1
	if length >= 0 {
		r.HasLength, r.Both = false, true
		h.DelID(ContentLength)
	}
	return nil
}

// lastElement is what stands behind the last comma of a list, without blanks.
func lastElement(value string) string {
	for i := len(value) - 1; i >= 0; i-- {
		if value[i] == ',' {
			value = value[i+1:]
			break
		}
	}
	for value != "" && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	return value
}

// ParseLength reads a Content-Length: digits alone, up to 2^63-1.
func ParseLength(s string) (int64, bool) {
	n := int64(0)
	for i := 0; i < len(s); i++ {
		d := int64(s[i] - '0')
		if s[i] < '0' || s[i] > '9' || n > (1<<63-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, s != ""
}

// Body is how the body of a response ends.
type Body uint8

// The ways.
const (
	NoBody     Body = iota // there is none
	Counted                // after Length bytes
	InChunks               // with the last chunk
	UntilClose             // with the connection
	Unclear                // contradictory: nothing of the response can be used
)

// BadLength is the Why of a Content-Length that is no number.
const BadLength = "invalid Content-Length"

// Framing is where a response's body ends.
type Framing struct {
	Body   Body
	Length int64  // with Counted; with NoBody what the head says, -1 for nothing
	Why    string // with Unclear
	Both   bool   // Content-Length came with Transfer-Encoding, or a coding is unknown: the connection is of no more use
}

// ResponseFraming decides where a response's body ends (RFC 9112 section 6.3). head tells that HEAD was
// asked for. As in httpd a Transfer-Encoding goes before a Content-Length, and an unknown one means
// until close; two different lengths, of which httpd takes the first, are Unclear here.
func ResponseFraming(status int, head bool, h *Header) Framing {
	f := Framing{Length: -1}
	coding, codings := "", 0
	for i := range h.F {
		switch g := &h.F[i]; g.ID {
		case ContentLength:
			n, ok := ParseLength(g.Value)
			if !ok {
				return Framing{Body: Unclear, Why: BadLength}
			}
			if f.Length >= 0 && f.Length != n {
				return Framing{Body: Unclear, Why: "several Content-Length"}
			}
			f.Length = n
		case TransferEncoding:
			coding = g.Value
			codings++
		}
	}
	switch {
	case codings > 0:
		f.Both = f.Length >= 0
		f.Length = -1
		f.coding(coding, codings)
	case f.Length >= 0:
		f.Body = Counted
	default:
		f.Body = UntilClose
	}
	if (head || Bodiless(status)) && f.Body != Unclear {
		f.Body = NoBody
	}
	return f
}

func (f *Framing) coding(value string, n int) {
	switch {
	case n == 1 && EqualFold(value, "chunked"):
		f.Body = InChunks
	case n > 1 || EqualFold(lastElement(value), "chunked"):
		*f = Framing{Body: Unclear, Why: "several transfer codings"}
	default:
		f.Body, f.Both = UntilClose, true
	}
}

// Bodiless reports whether responses with a status never have a body.
func Bodiless(status int) bool { return status < 200 || status == 204 || status == 304 }
