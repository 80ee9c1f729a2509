package manager

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"balancerd/balancer"
)

//go:embed style.css
var styleText string

// statusColours is how a member's status is coloured: by the first of these conditions that it meets. The
// last one's is that of a member which is simply usable.
var statusColours = []struct {
	any    balancer.Status
	colour string
}{
	{balancer.InError | balancer.CheckFailed | balancer.Shutdown, "bad"},
	{balancer.Disabled | balancer.Stopped, "off"},
	{balancer.Draining, "drain"},
	{balancer.Standby | balancer.Spare, "spare"},
	{balancer.Init, "good"},
}

func colourOf(s balancer.Status) string {
	for _, l := range statusColours {
		if s&l.any != 0 {
			return l.colour
		}
	}
	return "off"
}

const statusColumn = 6

// Style is the page's style. The colours of the status cells are rules by place, so that the cells
// themselves stay as bare as httpd's: programs look for "<td>" to the letter.
func (p *view) Style() template.CSS {
	cells := map[string][]string{}
	for i, b := range p.Balancers {
		for j, m := range b.Members {
			colour := colourOf(m.state) // a balancer has two tables; the first row is the head
			cells[colour] = append(cells[colour], fmt.Sprintf("body > table:nth-of-type(%d) tr:nth-child(%d) > td:nth-child(%d)", 2*i+2, j+2, statusColumn))
		}
	}
	var b strings.Builder
	b.WriteString(styleText)
	for _, l := range statusColours {
		if list := cells[l.colour]; list != nil {
			fmt.Fprintf(&b, "%s { color: var(--%s); font-weight: 600; }\n", strings.Join(list, ",\n"), l.colour)
		}
	}
	return template.CSS(b.String())
}
