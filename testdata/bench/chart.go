package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
	"text/template"
)

// Sizes of the chart in pixels.
const (
	labelWidth = 340
	plotWidth  = 440
	barHeight  = 9
	rowGap     = 9
	topMargin  = 66
)

// least and most are the ends of the axis, in powers of two.
const (
	least = -3.0
	most  = 3.0
)

// chart is what the template draws.
type chart struct {
	Width, Height, Left, Right, Top, Bottom int
	Lines                                   []line
	Legend                                  []key
	Rows                                    []row
}

type line struct {
	X     float64
	Label string
	Unit  bool // the yardstick's own
}

type key struct {
	X     int
	Name  string
	Color string
}

type row struct {
	Y     int
	Label string
	Bars  []bar
}

type bar struct {
	X, W, Text    float64
	Y, H          int
	Anchor, Value string
	Color         string
}

// colors are the classes of the servers' bars; other builds of balancerd share one.
var colors = map[string]string{"balancerd": "own", "haproxy": "haproxy", "httpd": "httpd"}

// draw makes chart.svg: for each case and server the ratio to nginx of CPU time per request, and of
// memory in the case of idle clients. The axis is logarithmic.
func draw(s *samples) string {
	c := chart{Width: labelWidth + plotWidth + 60, Left: labelWidth, Right: labelWidth + plotWidth, Top: topMargin}
	c.frame(s)
	y := topMargin + rowGap
	for _, of := range inChart() {
		if r, ok := rowOf(s, of, y); ok {
			c.Rows = append(c.Rows, r)
			y += len(r.Bars)*barHeight + rowGap
		}
	}
	c.Bottom, c.Height = y, y+14
	var b strings.Builder
	if err := template.Must(template.New("chart").Parse(drawing)).Execute(&b, c); err != nil {
		return err.Error()
	}
	return b.String()
}

// inChart is the cases that have a row: memory comes last.
func inChart() (list []*one) {
	for _, k := range []kind{loaded, idling} {
		for i := range cases {
			if cases[i].kind == k {
				list = append(list, &cases[i])
			}
		}
	}
	return list
}

// frame adds axis and legend.
func (c *chart) frame(s *samples) {
	for p, label := range []string{"⅛", "¼", "½", "nginx", "2×", "4×", "8×"} {
		c.Lines = append(c.Lines, line{X: scale(math.Exp2(least + float64(p))), Label: label, Unit: label == yardstick})
	}
	x := labelWidth
	for _, name := range measured(s) {
		c.Legend = append(c.Legend, key{x, html.EscapeString(name), colorOf(name)})
		x += 30 + 8*len(name)
	}
}

// measured is who is compared, balancerd first.
func measured(s *samples) []string {
	names := slices.DeleteFunc(s.servers(), func(n string) bool { return n == yardstick })
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

func rank(name string) int {
	return (slices.Index([]string{"balancerd", "", "haproxy", "httpd"}, name) + 4) % 4
}

func colorOf(name string) string {
	if c := colors[name]; c != "" {
		return c
	}
	return "other"
}

func rowOf(s *samples, c *one, y int) (r row, ok bool) {
	metric := "us"
	if c.kind == idling {
		metric = "rss"
	}
	r = row{Label: html.EscapeString(c.title)}
	for _, name := range measured(s) {
		ratio, ok := s.ratio(c.name, name, metric)
		if !ok {
			continue
		}
		r.Bars = append(r.Bars, barOf(ratio, y+len(r.Bars)*barHeight, colorOf(name)))
	}
	r.Y = y + len(r.Bars)*barHeight/2 + 4
	return r, len(r.Bars) > 0
}

// barOf reaches from nginx's line to the ratio.
func barOf(ratio float64, y int, color string) bar {
	one, x := scale(1), scale(ratio)
	b := bar{X: min(one, x), W: max(math.Abs(x-one), 1), Y: y, H: barHeight - 1, Color: color, Value: fmt.Sprintf("%.2f", ratio)}
	if b.Text, b.Anchor = x+4, "start"; x < one {
		b.Text, b.Anchor = x-4, "end"
	}
	return b
}

func scale(ratio float64) float64 {
	p := min(max(math.Log2(ratio), least), most)
	return math.Round((labelWidth+plotWidth*(p-least)/(most-least))*10) / 10
}

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} {{.Height}}" width="{{.Width}}" height="{{.Height}}" role="img" font-family="system-ui, sans-serif" font-size="12">
<title>CPU time per request and memory, as ratio to nginx</title>
<style>
text { fill: #1f2328 } .faint { fill: #59636e } .grid { stroke: #d1d9e0 } .unit { stroke: #59636e; stroke-width: 2 }
.own { fill: #1f6feb } .haproxy { fill: #8b98a5 } .httpd { fill: #d4761c } .other { fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #3d444d } .unit { stroke: #9198a1 }
.own { fill: #58a6ff } .haproxy { fill: #6e7a86 } .httpd { fill: #e08f3c } .other { fill: #bc8cff }
}
</style>
<text x="8" y="20" font-size="15" font-weight="600">CPU time per request (memory: RSS), as ratio to nginx; shorter or left is better</text>
{{range .Legend}}<rect class="{{.Color}}" x="{{.X}}" y="30" width="10" height="10"/><text x="{{.X}}" dx="15" y="39">{{.Name}}</text>
{{end}}{{$c := .}}{{range .Lines}}<line class="{{if .Unit}}unit{{else}}grid{{end}}" x1="{{.X}}" x2="{{.X}}" y1="{{$c.Top}}" y2="{{$c.Bottom}}"/><text class="faint" x="{{.X}}" y="60" text-anchor="middle">{{.Label}}</text>
{{end}}{{range .Rows}}<text x="{{$c.Left}}" dx="-12" y="{{.Y}}" text-anchor="end" font-size="11">{{.Label}}</text>
{{range .Bars}}<rect class="{{.Color}}" x="{{.X}}" y="{{.Y}}" width="{{.W}}" height="{{.H}}"/><text class="faint" x="{{.Text}}" y="{{.Y}}" dy="8" text-anchor="{{.Anchor}}" font-size="9">{{.Value}}</text>
{{end}}{{end}}</svg>
`
