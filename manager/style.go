package manager

import (
	_ "embed"

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

// without is the colour of a member without any of them.
const without = "off"

func colourOf(s balancer.Status) string {
	for _, l := range statusColours {
		if s&l.any != 0 {
			return l.colour
		}
	}
	return without
}

const statusColumn = 6

// style prints the page's style. The colours of the status cells are rules by place, so that the cells
// themselves stay as bare as httpd's: programs look for "<td>" to the letter.
func (p *view) style(o *out, states []balancer.Status) {
	o.put(styleText)
	for _, l := range statusColours {
		if p.cells(o, states, l.colour) {
			o.put(" { color: var(--", l.colour, "); font-weight: 600; }\n")
		}
	}
}

// cells prints the places of all cells of one colour, and reports whether there are any. A balancer has two
// tables; the first row is the head.
func (p *view) cells(o *out, states []balancer.Status, colour string) (any bool) {
	for i, l := range p.lists {
		for j := range l.members {
			if colourOf(states[j]) != colour {
				continue
			}
			if any {
				o.put(",\n")
			}
			any = true
			o.put("body > table:nth-of-type(")
			o.int(int64(2*i + 2))
			o.put(") tr:nth-child(")
			o.int(int64(j + 2))
			o.put(") > td:nth-child(")
			o.int(statusColumn)
			o.put(")")
			o.pass()
		}
		states = states[len(l.members):]
	}
	return any
}
