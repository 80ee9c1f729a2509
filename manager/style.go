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
func (p *view) style(d *document, states []balancer.Status) {
	d.once(func(o *out) { o.put(styleText) })
	for _, l := range statusColours {
		any := false
		d.add(each(p.lists, nothing, func(o *out, i, j, k int) {
			if colourOf(states[k]) == l.colour {
				printCell(o, i, j, any)
				any = true
			}
		}, nothing))
		d.once(func(o *out) {
			if any {
				o.put(" { color: var(--", l.colour, "); font-weight: 600; }\n")
			}
		})
	}
}

func nothing(*out, int) {}

// printCell prints the place of the status of member j in list i. A balancer has two tables; the first row is the head.
func printCell(o *out, i, j int, another bool) {
	if another {
		o.put(",\n")
	}
	o.put("body > table:nth-of-type(")
	o.int(int64(2*i + 2))
	o.put(") tr:nth-child(")
	o.int(int64(j + 2))
	o.put(") > td:nth-child(")
	o.int(statusColumn)
	o.put(")")
}
