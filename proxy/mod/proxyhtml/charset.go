package proxyhtml

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

var (
	defaults = directive.NewKey("xml2enc", func(outer, inner string) string {
		if inner == "" {
			return outer
		}
		return inner
	})
	aliases = directive.NewKey("xml2enc aliases", func(outer, _ map[string]string) map[string]string { return outer })
)

// libxml2Names are the charsets that libxml2 knows by itself.
var libxml2Names = map[string]bool{}

func init() {
	for _, n := range strings.Fields("UTF-8 UTF8 UTF-16 UTF16 ISO-10646-UCS-2 UCS-2 UCS2 ISO-10646-UCS-4 UCS-4 UCS4 ISO-8859-1 ISO-LATIN-1 ISO-8859-2 ISO-LATIN-2 " +
		"ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 ISO-8859-7 ISO-8859-8 ISO-8859-9 ISO-2022-JP SHIFT_JIS EUC-JP ASCII US-ASCII") {
		libxml2Names[n] = true
	}
}

func setDefault(s *directive.Scope, a directive.Args) error {
	name := a.Words[0]
	if real, ok := (*aliases.In(s.Config.Main))[strings.ToUpper(name)]; ok {
		name = real
	}
	if !libxml2Names[strings.ToUpper(name)] {
		return errors.New("Invalid or unsupported default charset")
	}
	*defaults.In(s) = name
	return nil
}

func setAlias(s *directive.Scope, a directive.Args) error {
	if err := a.Only(s, directive.Main); err != nil {
		return err
	}
	list := aliases.In(s.Config.Main)
	if *list == nil {
		*list = map[string]string{}
	}
	(*list)[strings.ToUpper(a.Words[1])] = a.Words[0]
	return nil
}

// charsets finds charsets by their names.
type charsets struct{ aliases map[string]string }

// find is the charset of a name; nil for UTF-8 and for one that is not known.
func (c *charsets) find(name string) encoding.Encoding {
	if real, ok := c.aliases[strings.ToUpper(name)]; ok {
		name = real
	}
	switch strings.ToUpper(name) {
	case "UTF-8", "UTF8", "ASCII", "US-ASCII":
		return nil
	case "UTF-16", "UTF16":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case "ISO-LATIN-1":
		name = "ISO-8859-1"
	}
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil {
		return nil
	}
	return e
}

// known reports whether a name is that of a charset.
func (c *charsets) known(name string) bool {
	if real, ok := c.aliases[strings.ToUpper(name)]; ok {
		name = real
	}
	return libxml2Names[strings.ToUpper(name)] || c.find(name) != nil
}

// charset is that of a page.
type charset struct {
	name    string // "" until it is found
	convert bool   // it is made UTF-8
}

// declared is the charset that a media type names.
func declared(mediaType string) string {
	i := exchange.IndexFold(mediaType, "charset=")
	if i < 0 {
		return ""
	}
	name := strings.Trim(mediaType[i+len("charset="):], `"`)
	if end := strings.IndexAny(name, " ;\""); end >= 0 {
		name = name[:end]
	}
	return strings.Clone(name)
}

var (
	metaType    = regexp.MustCompile(`(?i)<meta[^>]*http-equiv[ \t\r\n='"]*content-type[^>]*>`)
	metaCharset = regexp.MustCompile(`(?i)<meta[^>]*charset[ \t\r\n]*=[ \t\r\n'"]*([A-Za-z0-9_-]+)`)
)

// sniffed is how much of a page is looked through for its charset.
const sniffed = 4096

// sniff finds the charset of a page that begins so, by its byte order mark, then by what it says of itself.
func (c *charset) sniff(begin []byte) {
	switch {
	case bytes.HasPrefix(begin, []byte("\xef\xbb\xbf")):
		c.name = "UTF-8"
	case bytes.HasPrefix(begin, []byte("\xff\xfe")), bytes.HasPrefix(begin, []byte("\xfe\xff")):
		c.name = "UTF-16"
	default:
		if m := metaCharset.FindSubmatch(begin); m != nil {
			c.name = string(m[1])
		}
	}
}

func (f *rewriter) fallbackName() string {
	if f.fallback != "" {
		return f.fallback
	}
	return "ISO-8859-1"
}

// decoded is a page in UTF-8.
func (f *rewriter) decoded(x *exchange.Exchange, c *charset, in io.Reader) io.Reader {
	if c.name == "" {
		buffered := bufio.NewReaderSize(in, sniffed)
		begin, _ := buffered.Peek(sniffed)
		c.sniff(begin)
		in = buffered
	}
	name := c.name
	if name == "" {
		name = f.fallbackName()
	} else if !f.known(name) {
		x.Log("xml2enc", exchange.Error, nil, "AH01435: Charset "+name+" not supported.  Consider aliasing it?")
		x.Log("xml2enc", exchange.Warn, nil, "AH01436: No usable charset information; using configuration default")
		name = f.fallbackName()
	}
	if e := f.find(name); e != nil {
		return e.NewDecoder().Reader(in)
	}
	return in
}
