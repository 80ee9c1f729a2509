package status

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

// page is the status page. Its lines are httpd's; its clothes are in its own style element.
var page = template.Must(template.New("status").Funcs(template.FuncMap{
	"date": dateText, "bytes": bytesText, "size": sizeText,
	"kilo": func(n int64) float64 { return float64(n) / kilo },
	"mega": func(n int64) float64 { return float64(n) / mega },
}).Parse(pageText))

// html prints the view for people.
func html(b *bytes.Buffer, v *view) error { return page.Execute(b, v) }

// UptimeText is the time since the start, with a blank in front of each part.
func (v *view) UptimeText() string { return uptimeText(v.uptime()) }

// Traffic is all bytes sent.
func (v *view) Traffic() string { return kilobytesText(v.kilobytes()) }

// Milliseconds is the time that all requests took.
func (v *view) Milliseconds() int64 { return v.milliseconds() }

// GracefulState and IdleState index States in the template.
func (v *view) GracefulState() int { return int(Graceful) }

// IdleState is where the idle workers are counted.
func (v *view) IdleState() int { return int(Idle) }

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
	up, n, bytes := v.seconds(), float64(v.Accesses), kilo*float64(v.kilobytes())
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

// Ago is the whole seconds since a slot's exchange began.
func (v *view) Ago(s Slot) int64 {
	if s.Since.IsZero() {
		return 0
	}
	return int64(v.Now.Sub(s.Since) / time.Second)
}

const requestLine = 63 // letters of a request line that the scoreboard keeps

// Line is the slot's request line: its beginning, or its end with SeeRequestTail.
func (v *view) Line(s Slot) string {
	line := oneLine(s.Request)
	switch {
	case len(line) <= requestLine:
		return line
	case v.Tail:
		return line[len(line)-requestLine:]
	}
	return line[:requestLine]
}

// FactorValue is the member's factor as a number.
func (m Member) FactorValue() float64 { return float64(m.Factor) / 100 }

// oneLine replaces control characters, which would end a line of ?auto.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '.'
		}
		return r
	}, s)
}
