package proxyhtml

import (
	"bytes"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"balancerd/proxy/exchange"
)

// mostToken is how long a tag, a comment, a text or a script may be. A page with a longer one passes from there on as
// it is.
const mostToken = 1 << 20

// page rewrites one page.
type page struct {
	*rewriter
	x       *exchange.Exchange
	rules   []rule
	charset charset
	out     encoding.Encoding // nil: UTF-8
	inside  string            // "script" or "style", whose text comes next
	turn    exchange.Turn
	w       io.Writer
}

// turnSize is after how many bytes the event loop goes on without the page.
const turnSize = 16 << 10

// run rewrites it.
func (p *page) run(in io.Reader, out io.Writer) (err error) {
	p.w = out
	if p.charset.convert {
		in = p.decoded(p.x, &p.charset, in)
	}
	if p.out != nil {
		w := transform.NewWriter(out, encoding.HTMLEscapeUnsupported(p.out.NewEncoder()))
		defer func() {
			if err == nil {
				err = w.Close() // it holds a character that is cut, and how the charset ends
			}
		}()
		p.w = w
	}
	if d, ok := p.doctype.Get(); ok {
		if _, err := io.WriteString(p.w, d.text); err != nil {
			return err
		}
	}
	z := html.NewTokenizer(in)
	z.SetMaxBuf(mostToken)
	for {
		kind := z.Next()
		raw := z.Raw()
		p.turn.Worked(p.x, len(raw), turnSize)
		if kind == html.ErrorToken {
			return p.end(z, in, raw)
		}
		if err := p.token(kind, z, raw); err != nil {
			return err
		}
	}
}

// end is what comes of the end, or of a token that is too long.
func (p *page) end(z *html.Tokenizer, in io.Reader, raw []byte) error {
	if _, err := p.w.Write(raw); err != nil {
		return err
	}
	switch err := z.Err(); err {
	case io.EOF:
		return nil
	case html.ErrBufferExceeded:
		if _, err := p.w.Write(z.Buffered()); err != nil {
			return err
		}
		_, err := io.Copy(p.w, in)
		return err
	default:
		return err
	}
}

func (p *page) token(kind html.TokenType, z *html.Tokenizer, raw []byte) (err error) {
	switch kind {
	case html.StartTagToken, html.SelfClosingTagToken:
		name, _ := z.TagName()
		_, err = p.w.Write(p.tag(string(name), raw))
		if kind == html.StartTagToken {
			p.inside = string(name)
		}
		return err
	case html.TextToken:
		if p.extended && (p.inside == "script" || p.inside == "style") {
			_, err = io.WriteString(p.w, script(p.rules, string(raw), false))
			return err
		}
	case html.EndTagToken:
		p.inside = ""
	case html.CommentToken:
		if p.strip {
			return nil
		}
	case html.DoctypeToken:
		if d, ok := p.doctype.Get(); ok && d.text != "" {
			return nil
		}
	}
	_, err = p.w.Write(raw)
	return err
}

// look reads the beginning of the page before its head is sent: its charset, and what <meta> says of the head.
func (p *page) look() error {
	held, rest, err := peek(p.x.Res.Body)
	if err != nil {
		return err
	}
	p.x.Res.Body = rest
	if p.charset.name == "" {
		p.charset.sniff(held)
	}
	if p.settings.meta {
		p.copyMeta(held)
	}
	return nil
}

// metaFields are those that a page may say of its head: none that sets state or says where to go.
var metaFields = map[string]string{"refresh": "Refresh", "content-language": "Content-Language", "content-style-type": "Content-Style-Type", "x-ua-compatible": "X-UA-Compatible"}

// copyMeta makes fields of a page's own <meta http-equiv>.
func (p *page) copyMeta(begin []byte) {
	z := html.NewTokenizer(bytes.NewReader(begin))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		t := z.Token()
		if t.Data != "meta" {
			continue
		}
		var name, content string
		for _, a := range t.Attr {
			switch a.Key {
			case "http-equiv":
				name = metaFields[strings.ToLower(a.Val)]
			case "content":
				content = a.Val
			}
		}
		if name != "" && content != "" && !strings.ContainsAny(content, "\r\n\x00") {
			p.x.Res.Header.Set(name, strings.Clone(content))
		}
	}
}

// peek reads the beginning of a body, and gives one that begins there again.
func peek(from exchange.Source) (held []byte, rest exchange.Source, err error) {
	held = make([]byte, 0, sniffed)
	for len(held) < sniffed && err == nil {
		var n int
		n, err = from.Read(held[len(held):sniffed])
		held = held[:len(held)+n]
	}
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	return held, &begun{Source: from, held: held}, nil
}

// begun is a body whose beginning was read.
type begun struct {
	exchange.Source
	held []byte
}

// Read gives the beginning first.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.held) == 0 {
		return b.Source.Read(p)
	}
	n := copy(p, b.held)
	b.held = b.held[n:]
	return n, nil
}

// Buffered is the beginning first.
func (b *begun) Buffered() []byte {
	if len(b.held) > 0 {
		return b.held
	}
	return b.Source.Buffered()
}

// Discard takes n of it.
func (b *begun) Discard(n int) {
	if len(b.held) > 0 {
		b.held = b.held[n:]
		return
	}
	b.Source.Discard(n)
}
