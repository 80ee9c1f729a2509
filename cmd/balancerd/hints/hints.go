package hints

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Lines are the hints of a site: what has no effect here, or will fail. Those that refuse a start are part of
// its Refusal. detail: each directive gets a line (-t -v); LogLevel hint:info asks for that, too.
func Lines(s *site.Site, detail bool) []string {
	if l := s.Hosts[0].Server.Levels; l != nil {
		level, set := l.By[directive.HintModule]
		if set && level < exchange.Warn {
			return nil
		}
		detail = detail || set && level >= exchange.Info
	}
	if detail {
		return hintDetails(s.Config.Hints)
	}
	return hintLines(s.Config.Hints)
}

// hintGroup are hints that share one line.
type hintGroup struct {
	list   []directive.Hint
	names  []string
	texts  []string
	places places
}

// group puts hints together by what key says, in the order of their effects and then of the file.
func group(list []directive.Hint, key func(*directive.Hint) string) []*hintGroup {
	var order []*hintGroup
	by := map[string]*hintGroup{}
	for i := range list {
		h := &list[i]
		if h.Refuse {
			continue
		}
		k := fmt.Sprint(h.Effect, " ", key(h))
		g := by[k]
		if g == nil {
			g = &hintGroup{}
			by[k] = g
			order = append(order, g)
		}
		g.list = append(g.list, *h)
		g.places.add(h.Pos.File, h.Pos.Line)
		if !slices.Contains(g.names, h.Name) {
			g.names = append(g.names, h.Name)
		}
		if !slices.Contains(g.texts, h.Text) {
			g.texts = append(g.texts, h.Text)
		}
	}
	slices.SortStableFunc(order, func(a, b *hintGroup) int { return int(a.list[0].Effect) - int(b.list[0].Effect) })
	return order
}

// hintDetails is a line for each text of a file, with the lines of that file.
func hintDetails(list []directive.Hint) (lines []string) {
	for _, g := range group(list, func(h *directive.Hint) string { return h.Pos.File + "\n" + h.Text }) {
		lines = append(lines, "hint: "+g.places.String()+g.texts[0])
	}
	return lines
}

// hintLines is a line for each module and effect. What will fail later, what is said of modules, and what a part of a
// directive opens or tunes has a line each: each is another thing to mend.
func hintLines(list []directive.Hint) (lines []string) {
	short := false
	for _, g := range group(list, func(h *directive.Hint) string {
		if h.Effect == directive.Later || h.Name == "LoadModule" || h.Part && h.Effect != directive.Behaviour {
			return h.Text
		}
		return fmt.Sprint(h.Module, " ", h.Part)
	}) {
		text := g.texts[0]
		if len(g.texts) > 1 {
			common := effectTexts[g.list[0].Effect]
			if g.list[0].Part {
				common = ": parts of what they say have no effect here, or another than in httpd"
			}
			text, short = "mod_"+g.list[0].Module+": "+nameList(g.names)+common, true
			text = strings.Replace(text, "mod_core:", "core:", 1)
			if instead := g.list[0].Instead; instead != "" {
				text += ": " + instead
			}
		}
		lines = append(lines, "hint: "+g.places.String()+text)
	}
	if short {
		lines = append(lines, "hint: -t -v, or LogLevel hint:info, tells more of each line")
	}
	return lines
}

// effectTexts are what hints of several directives have in common.
var effectTexts = map[directive.Effect]string{
	directive.Behaviour: " have no effect here",
	directive.Access:    " have no effect here: what they open or close is as without them",
	directive.Tuning:    " have no effect here: they tune processes and buffers that are not needed",
}

// mostNames is how many directives one line names.
const mostNames = 8

func nameList(names []string) string {
	if len(names) > mostNames {
		names = append(names[:mostNames:mostNames], fmt.Sprintf("%d more", len(names)-mostNames))
	}
	return strings.Join(names, ", ")
}

// places are files with lines, both in the order in which they came.
type places struct {
	files []string
	lines map[string][]int
}

func (p *places) add(file string, line int) {
	if p.lines == nil {
		p.lines = map[string][]int{}
	}
	if p.lines[file] == nil {
		p.files = append(p.files, file)
	}
	if !slices.Contains(p.lines[file], line) {
		p.lines[file] = append(p.lines[file], line)
	}
}

// mostPlaces is how many files one hint names.
const mostPlaces = 4

// String is "file:1,2; other:7: ", nothing for what stands nowhere.
func (p *places) String() string {
	var out []string
	for i, f := range p.files {
		if f == "" {
			continue
		}
		if i == mostPlaces {
			out = append(out, fmt.Sprintf("%d more files", len(p.files)-mostPlaces))
			break
		}
		if n := lineList(p.lines[f]); n != "" {
			f += ":" + n
		}
		out = append(out, f)
	}
	if out == nil {
		return ""
	}
	return strings.Join(out, "; ") + ": "
}

// shown is how many line numbers of one file a hint names.
const shown = 5

func lineList(lines []int) string {
	var out []string
	for i, n := range lines {
		if i == shown {
			return strings.Join(out, ",") + fmt.Sprintf(" and %d more", len(lines)-shown)
		}
		if n > 0 {
			out = append(out, strconv.Itoa(n))
		}
	}
	return strings.Join(out, ",")
}
