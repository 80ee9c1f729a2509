package manager

import "balancerd/balancer"

// html prints the form below the lists, with the table of expressions inside.
func (e *edit) html(o *out, exprs []balancer.Expr) {
	if e.Worker != "" {
		o.put("<h3>Edit worker settings for ")
	} else {
		o.put("<h3>Edit balancer settings for ")
	}
	o.name(e.Subject, e.Socket)
	o.put("</h3>\n<form method='POST' enctype='application/x-www-form-urlencoded' action=\"")
	o.url(e.Action)
	o.put("\">\n")
	if e.Worker != "" {
		e.worker(o)
	} else {
		e.balancer(o)
	}
	o.put(`<input type=hidden name='b' id='b' value="`)
	o.safe(e.Balancer)
	o.put("\">\n<input type=hidden name='nonce' id='nonce' value='")
	o.safe(e.Nonce)
	o.put("'>\n")
	printExprs(o, exprs)
	o.put("</form>\n<hr />\n")
}

func printExprs(o *out, exprs []balancer.Expr) {
	if len(exprs) == 0 {
		return
	}
	o.put("\n<table><tr><th colspan='2'>Health check cond. expressions:</th></tr>\n<tr><th>Expr name</th><th>Expression</th></tr>\n")
	for _, x := range exprs {
		o.put("<tr><td>")
		o.text(x.Name)
		o.put("</td><td>")
		o.text(x.Text)
		o.put("</td></tr>\n")
	}
	o.put("</table>\n")
}

// worker prints a member's form.
func (e *edit) worker(o *out) {
	o.put("<table>")
	for i := range e.Fields {
		in := &e.Fields[i]
		o.put("<tr><td>", in.Label, ":</td><td>")
		in.text(o, "text")
		o.put("</td></tr>\n")
	}
	o.put("<tr><td>Status:</td><td><table><tr>")
	for i := range e.Flags {
		o.put("<th>", e.Flags[i].Label, "</th>")
	}
	o.put("</tr>\n<tr>")
	for i := range e.Flags {
		e.Flags[i].radio(o)
	}
	o.put("</tr></table></td></tr>\n")
	if len(e.Health) > 0 {
		e.checks(o)
	}
	o.put("<tr><td colspan='2'><input type=submit value='Submit'>")
	if e.CheckNow { // ours
		o.put(" <button type=submit name='check' value='now'>Check now</button>")
	}
	o.put("</td></tr>\n</table>\n<input type=hidden name='w' id='w' value=\"")
	o.safe(e.Worker)
	o.put("\">\n")
}

// checks prints the fields of a member's health checks.
func (e *edit) checks(o *out) {
	o.put("<tr><td colspan='2'>\n<table align='center'><tr><th>Health Check param</th><th>Value</th></tr>\n")
	for i := range e.Health {
		in := &e.Health[i]
		o.put("<tr><td>", in.Label, "</td><td>")
		if in.Select {
			o.put("<select name='", in.Name, "'>\n")
			for _, c := range in.Options {
				o.option(c, " selected >", "  >", "</option>\n")
			}
			o.put("</select>\n")
		} else {
			in.text(o, "'text'")
		}
		o.put("</td></tr>\n")
	}
	o.put("</table>\n</td></tr>\n")
}

// balancer prints a balancer's form.
func (e *edit) balancer(o *out) {
	o.put("<table>\n")
	for i := range e.Fields {
		in := &e.Fields[i]
		o.put("<tr><td>", in.Label, ":</td>")
		in.ofBalancer(o)
	}
	if e.CanAdd {
		o.put("<tr><td>Add New Worker:</td><td><input name='b_nwrkr' id='b_nwrkr' size=32 type=text>&nbsp;&nbsp;&nbsp;&nbsp;Are you sure? <input name='b_wyes' id='b_wyes' type=checkbox value='1'></td></tr>")
	}
	o.put("<tr><td colspan=2><input type=submit value='Submit'></td></tr>\n</table>")
	if e.Full != "" {
		o.put("<p class=notice>")
		o.safe(e.Full)
		o.put("</p>")
	}
	o.put("\n")
}

// ofBalancer prints a field of a balancer's form.
func (in *input) ofBalancer(o *out) {
	switch {
	case in.Select:
		o.put("<td>\n<select name='", in.Name, "' id='", in.Name, "'>")
		for _, c := range in.Options {
			o.option(c, " selected >", ">", "\n")
		}
		o.put("</select>\n</td></tr>\n")
	case in.Radio:
		in.radio(o)
		o.put("</tr>\n")
	case in.Number:
		o.put("<td>")
		in.text(o, "text")
		o.put("</td></tr>\n")
	default:
		o.put("<td><input name='", in.Name, "' id='", in.Name, "' size=64 type=text value =\"")
		o.safe(in.Value)
		o.put("\">&nbsp;&nbsp;&nbsp;&nbsp;(Use '-' to delete)</td></tr>\n")
	}
}

// text prints a text field; numbers are in single quotes, as httpd's.
func (in *input) text(o *out, kind string) {
	quote := `"`
	if in.Number {
		quote = "'"
	}
	o.put("<input name='", in.Name, "' id='", in.Name, "' type=", kind, " value=", quote)
	o.safe(in.Value)
	o.put(quote, ">")
}

// radio prints a field's two buttons, each with its label.
func (in *input) radio(o *out) {
	on, off := "type=radio>", "type=radio checked>"
	if in.On {
		on, off = off, on
	}
	o.put("<td><label for='", in.Name, "1'>On</label> <input name='", in.Name, "' id='", in.Name, "1' value='1' ", on,
		" <br/> <label for='", in.Name, "0'>Off</label> <input name='", in.Name, "' id='", in.Name, "0' value='0' ", off, "</td>\n")
}

// option prints one choice; on or off follows its value, whether it is the one in force.
func (o *out) option(c option, on, off, end string) {
	if c.On {
		off = on
	}
	o.put("<option value='")
	o.safe(c.Value)
	o.put("'", off)
	o.safe(c.Value)
	o.put(end)
}
