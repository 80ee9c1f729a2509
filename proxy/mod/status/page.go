package status

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed page.html
var pageText string

// page is the status page but for its rows (rows.go). Its lines are httpd's; its looks are in its own style element.
var page = template.Must(template.New("status").Funcs(template.FuncMap{"date": dateText}).Parse(pageText))

// html prints the view for people.
func html(v *view) ([]byte, error) {
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "head", v); err != nil {
		return nil, err
	}
	p := v.appendConnections(b.Bytes())
	for i := range v.Balancers {
		p = appendBalancer(p, &v.Balancers[i])
	}
	if len(v.Balancers) > 0 {
		p = append(p, balancersKey...)
	}
	p = append(p, v.Signature...)
	return append(p, "</body></html>\n"...), nil
}

// UptimeText is the time since the start, with a blank in front of each part.
func (v *view) UptimeText() string { return uptimeText(v.uptime()) }

// Traffic is all bytes sent.
func (v *view) Traffic() string { return kilobytesText(v.kilobytes()) }

// Milliseconds is the time that all requests took.
func (v *view) Milliseconds() int64 { return v.milliseconds() }

// Usage is the processor's time.
func (v *view) Usage() string {
	s := fmt.Sprintf("u%s s%s cu%s cs%s", general(v.CPU.User, 6), general(v.CPU.System, 6), general(v.CPU.ChildUser, 6), general(v.CPU.ChildSystem, 6))
	if v.CPU.sum() > 0 && v.seconds() > 0 {
		s += " - " + v.cpuLoad(3) + "% CPU load"
	}
	return s
}

// Rates is requests and bytes a second, bytes and milliseconds a request.
func (v *view) Rates() string {
	var parts []string
	up, n, bytes := v.seconds(), float64(v.Requests), kilo*float64(v.kilobytes())
	if up > 0 {
		parts = append(parts, general(n/up, 3)+" requests/sec", bytesText(int64(bytes/up))+"/second")
	}
	if n > 0 {
		parts = append(parts, bytesText(int64(bytes/n))+"/request", general(float64(v.milliseconds())/n, 6)+" ms/request")
	}
	return strings.Join(parts, " - ")
}

const boardLine = 64 // letters a line of the scoreboard

// Board is the scoreboard in lines.
func (v *view) Board() string {
	s := v.scoreboard()
	var b strings.Builder
	for len(s) >= boardLine {
		b.WriteString(s[:boardLine] + "\n")
		s = s[boardLine:]
	}
	return b.String() + s
}

// oneLine replaces control characters, which would end a line of ?auto.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '.'
		}
		return r
	}, s)
}
