package manager

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageText string

// page is the balancer-manager's page. html/template escapes by context; text is for table cells and
// headings, which programs read without undoing entities: it escapes what httpd escapes, no more.
var page = template.Must(template.New("").Funcs(template.FuncMap{
	"text": htmlText, "size": sizeText, "onOff": onOff,
}).Parse(pageText))

func writeHTML(w io.Writer, p *view) error { return page.ExecuteTemplate(w, "page", p) }

var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// htmlText is s as the text of an element (httpd: util.c ap_escape_html).
func htmlText(s string) template.HTML { return template.HTML(entities.Replace(s)) }

func onOff(on bool) string {
	if on {
		return "On"
	}
	return "Off"
}

// sizeText is a size in four characters: "552 ", "1.3K", " 21K" (apr: apr_strfsize).
func sizeText(n int64) string {
	if n < 0 {
		return "  - "
	}
	if n < 973 {
		return fmt.Sprintf("%3d ", n)
	}
	for units := "KMGTPE"; ; units = units[1:] {
		rest := n & 1023
		n >>= 10
		if n >= 973 && len(units) > 1 {
			continue
		}
		if n < 9 || n == 9 && rest < 973 {
			tenths := (rest*5 + 256) / 512
			if tenths >= 10 {
				n, tenths = n+1, 0
			}
			return fmt.Sprintf("%d.%d%c", n, tenths, units[0])
		}
		if rest >= 512 {
			n++
		}
		return fmt.Sprintf("%3d%c", n, units[0])
	}
}
