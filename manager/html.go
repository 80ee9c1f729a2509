package manager

import (
	"balancerd/balancer"
	"balancerd/manager/apr"
)

// html is the page: httpd's lines, which programs cut up by table, cell and line. What is added to them
// is said where it is printed.
func (p *view) html() *document {
	d := &document{}
	states := p.states()
	d.once(p.head)
	p.style(d, states)
	d.once(p.heading)
	var row *balancerRow
	d.add(each(p.lists, func(o *out, i int) {
		row = rowOf(p.lists[i].balancer)
		p.list(o, row)
	}, func(o *out, i, j, k int) {
		m := memberOf(p.lists[i].members[j])
		m.show(states[k])
		p.member(o, row, &m)
	}, func(o *out, _ int) { o.put("</table>\n") }))
	d.once(p.foot)
	return d
}

// states is the condition of each member, in the order of the page: the rows and their colours show the same.
func (p *view) states() (all []balancer.Status) {
	for _, l := range p.lists {
		for _, w := range l.members {
			all = append(all, w.Status())
		}
	}
	return all
}

// head prints what is before the style; the viewport is ours.
func (p *view) head(o *out) {
	o.put(`<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html><head><title>Balancer Manager</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style type='text/css'>
`)
}

// heading prints what is between the style and the lists.
func (p *view) heading(o *out) {
	o.put("</style>\n</head>\n<body><h1>Load Balancer Manager for ")
	o.safe(p.Server)
	o.put("</h1>\n\n<dl><dt>Server Version: ")
	o.safe(p.Version)
	o.put("</dt>\n<dt>Server Built: ")
	o.safe(p.Built)
	o.put("</dt>\n<dt>Balancer changes will ", not(p.Persisted), "be persisted on restart.</dt><dt>Balancers are ", not(p.Inherited),
		"inherited from main server.</dt><dt>ProxyPass settings are ", not(p.PassInherited), "inherited from main server.</dt></dl>\n")
}

func not(on bool) string {
	if on {
		return ""
	}
	return "NOT "
}

// list prints a balancer's first table, and the head of its second one, which is its members'.
func (p *view) list(o *out, row *balancerRow) {
	o.put("<hr />\n<h3>LoadBalancer Status for <a href=\"")
	p.link(o, row, nil)
	o.put(`">balancer://`)
	o.text(row.Name)
	o.put("</a> [")
	o.text(row.ID)
	o.put("]</h3>\n\n\n<table><tr><th>MaxMembers</th><th>StickySession</th><th>DisableFailover</th><th>Timeout</th><th>FailoverAttempts</th><th>Method</th><th>Path</th><th>Active</th></tr>\n<tr>")
	row.html(o)
	o.put("</tr>\n</table>\n<br />\n\n<table><tr><th>Worker URL</th><th>Route</th><th>RouteRedir</th><th>Factor</th><th>Set</th><th>Status</th><th>Elected</th><th>Busy</th><th>Load</th><th>To</th><th>From</th>")
	if p.HealthChecks {
		o.put("<th>HC Method</th><th>HC Interval</th><th>Passes</th><th>Fails</th><th>HC uri</th><th>HC Expr</th>")
	}
	o.put("</tr>\n")
}

// html prints a balancer's cells.
func (row *balancerRow) html(o *out) {
	o.put("<td>")
	o.int(int64(row.MaxMembers))
	o.put(" [")
	o.int(int64(row.Used))
	o.put(" Used]</td>\n<td>")
	if row.settings.Sticky.On() {
		o.text(row.settings.Sticky.String())
	} else {
		o.put(" (None) ")
	}
	o.put("</td><td>", onOff(row.settings.NoFailover.V), "</td>\n<td>")
	o.int(wholeSeconds(row.settings.Timeout))
	o.put("</td><td>")
	o.int(int64(row.settings.MaxAttempts.V))
	o.put("</td>\n<td>")
	o.text(row.settings.Method.V)
	o.put("</td>\n<td>")
	o.text(row.Path)
	o.put("</td>\n<td>Yes</td>\n") // Active: httpd shows none that is not
}

// member prints a member's row.
func (p *view) member(o *out, b *balancerRow, m *memberRow) {
	o.put("<tr>\n<td><a href=\"")
	p.link(o, b, m)
	o.put(`">`)
	o.name(m.Name, m.Socket)
	o.put("</a></td><td>")
	o.text(m.settings.Route)
	o.put("</td><td>")
	o.text(m.settings.Redirect)
	o.put("</td><td>")
	o.factor(m.settings.LoadFactor)
	o.put("</td><td>")
	o.int(int64(m.settings.LBSet))
	o.put("</td><td>", m.Status, "</td><td>")
	o.uint(m.Elected)
	o.put("</td><td>")
	o.int(m.Busy)
	o.put("</td><td>")
	o.int(m.Load)
	o.put("</td><td>")
	o.size(m.Sent)
	o.put("</td><td>")
	o.size(m.Received)
	o.put("</td>")
	if p.HealthChecks {
		m.checks(o)
	}
	o.put("</tr>\n")
}

// checks prints the cells of a member's health checks.
func (m *memberRow) checks(o *out) {
	h := &m.settings.Health
	o.put("<td>", h.Method.String(), "</td><td>")
	o.int(h.Interval.Milliseconds())
	o.put("ms</td><td>")
	o.int(int64(h.Passes))
	o.put(" (")
	o.int(int64(m.Passed))
	o.put(")</td><td>")
	o.int(int64(h.Fails))
	o.put(" (")
	o.int(int64(m.Failed))
	o.put(")</td><td>")
	o.text(h.URI)
	o.put("</td><td>")
	o.text(h.Expr)
	o.put("</td>")
}

// name prints a worker's name, in italics if it is on a socket.
func (o *out) name(name string, socket bool) {
	if socket {
		o.put("<i>")
	}
	o.text(name)
	if socket {
		o.put("</i>")
	}
}

// foot prints what is below the lists.
func (p *view) foot(o *out) {
	o.put("<hr />\n")
	p.notes(o)
	if p.Edit != nil {
		p.Edit.html(o, p.Exprs)
	}
	o.put(p.Signature, "</body></html>\n")
}

// notes prints what is ours between the lists and the form: what an edit did, and how long edits last.
func (p *view) notes(o *out) {
	if p.Notice != "" {
		o.put("<p class=notice role=status>")
		o.safe(p.Notice)
		o.put("</p>\n")
	}
	o.put("<p class=note>")
	if p.Persisted {
		o.put("Edits made here are kept over restarts and reloads (BalancerPersist On).")
	} else {
		o.put("Edits made here last until the server restarts or reloads: it then starts from the configuration file again. BalancerPersist On, in the virtual host itself, would keep them.")
	}
	o.put("</p>\n")
}

// link prints the page that selects b, and its member m when there is one, as the value of an attribute. It
// begins with the path of the request, never with a host; what programs cut out of it stands in httpd's order.
func (p *view) link(o *out, b *balancerRow, m *memberRow) {
	o.url(p.path)
	o.put("?b=")
	o.replace(b.Name, inLink)
	if m != nil {
		o.put("&amp;w=")
		o.replace(m.URL, inLink)
	}
	o.put("&amp;nonce=")
	o.replace(b.Nonce, inLink)
}

func onOff(on bool) string {
	if on {
		return "On"
	}
	return "Off"
}

// factor prints a load factor: hundredths as "1.25".
func (o *out) factor(hundredths int) {
	o.int(int64(hundredths / 100))
	o.b = append(o.b, '.', '0'+byte(hundredths/10%10), '0'+byte(hundredths%10))
}

// size prints a size in four characters.
func (o *out) size(n int64) { o.b = apr.AppendSize(o.b, n) }
