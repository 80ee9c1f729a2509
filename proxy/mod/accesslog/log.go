package accesslog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"balancerd/apacheconf/directive"
	"balancerd/apacheconf/pattern"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
	"balancerd/proxy/log/sink"
	"balancerd/proxy/site"
)

// builder belongs to one load.
type builder struct {
	st      *site.Site
	writers map[*site.Host]*writer
}

// writer is the logs of one server. Immutable.
type writer struct{ outputs []output }

type output struct {
	to     *sink.Log
	format *Format
	wanted condition
}

// host opens a server's logs: its own and the main server's GlobalLogs; the main server's when it has
// none (httpd: mod_log_config.c multi_log_transaction).
func (b *builder) host(h *site.Host, set *sink.Set) (*writer, error) {
	main, own := servers.In(b.st.Config.Main), servers.Merged(h.Scope)
	w := &writer{}
	for i := range own.logs {
		if err := b.output(w, &own.logs[i], h, set); err != nil {
			return nil, err
		}
	}
	if h.Server.Main {
		return w, nil
	}
	for i := range main.logs {
		if l := &main.logs[i]; l.global || len(own.logs) == 0 {
			if err := b.output(w, l, h, set); err != nil {
				return nil, err
			}
		}
	}
	return w, nil
}

func (b *builder) output(w *writer, l *logged, h *site.Host, set *sink.Set) error {
	f, err := Compile(b.format(l, h), optionsOf(b.st.Config))
	if err != nil {
		return err
	}
	to, err := set.Open(l.target)
	if err != nil {
		return &sink.OpenError{Message: unopened(set, l.target, err)}
	}
	w.outputs = append(w.outputs, output{to, f, l.wanted})
	return nil
}

func unopened(set *sink.Set, target string, err error) string {
	if sink.Piped(target) {
		return fmt.Sprintf("%s: AH00104: unable to start piped log program '%s'", exchange.ErrnoText(err), strings.TrimLeft(target, "|$"))
	}
	return fmt.Sprintf("%s: AH00649: could not open transfer log file %s.", exchange.ErrnoText(err), set.Path(target))
}

// format is the text that a log's second word means: a nickname's, the host's own before the main
// server's, or itself.
func (b *builder) format(l *logged, h *site.Host) string {
	main, own := servers.In(b.st.Config.Main), servers.Merged(h.Scope)
	text := l.format
	for _, def := range []string{own.main, main.main, "CLF"} {
		if text == "" {
			text = def
		}
	}
	if f, ok := own.formats[text]; ok {
		return f
	}
	if f, ok := main.formats[text]; ok {
		return f
	}
	if text == "CLF" {
		return usual
	}
	return text
}

// reporter tells the error log of what becomes of the logs. It holds no more of the load than the main server: the
// logs outlive the site when a tunnel does.
type reporter struct{ main *exchange.Server }

// failed is told by a log's flusher that lines did not arrive.
func (r reporter) failed(target string, lost int64, err error) {
	switch {
	case err != nil:
		r.warn(err, "AH00646: Error writing to "+target)
	case lost > 0:
		r.warn(nil, fmt.Sprintf("%d lines for %s were dropped: it does not take them fast enough", lost, target))
	}
}

func (r reporter) died(program string, err error) {
	r.warn(nil, "AH00106: piped log program '"+program+"' failed unexpectedly")
}

func (r reporter) warn(err error, message string) {
	if log := r.main.ErrorLog; log != nil {
		log.Write(&exchange.LogEntry{Time: time.Now(), Module: "log_config", Level: exchange.Warn, Errno: exchange.ErrnoText(err), Message: message, Server: r.main})
	}
}

// build gives a chain's plan the server's logs.
func (b *builder) build(chain []*directive.Scope, p *site.Plan) error {
	h := b.st.Host(chain[0])
	if len(chain) > 1 && chain[1].Kind == directive.VHost {
		h = b.st.Host(chain[1])
	}
	w := b.writers[h]
	if w == nil || len(w.outputs) == 0 {
		return nil
	}
	track := tracked.Merged(chain...)
	p.Add(site.Log, "CustomLog", w.step(track.Or(false)))
	return nil
}

var views = sync.Pool{New: func() any { return &view{line: make([]byte, 0, 512)} }}

// step writes an exchange's lines.
func (w *writer) step(track bool) exchange.Step {
	return func(_ context.Context, x *exchange.Exchange) error {
		v := views.Get().(*view)
		v.x, v.end, v.track = x, time.Time{}, track
		for i := range w.outputs {
			if o := &w.outputs[i]; o.wanted.holds(x) {
				v.line = o.format.append(v.line[:0], v)
				o.to.Append(v.line)
			}
		}
		v.x = nil
		poison.Bytes(v.line)
		poison.Put(&views, v)
		return nil
	}
}

func (c *condition) holds(x *exchange.Exchange) bool {
	switch {
	case c.env != "":
		return x.Env.Has(c.env) != c.absent
	case c.expr == nil:
		return true
	}
	ok, err := c.expr.Match(x)
	if err != nil {
		x.Log("log_config", exchange.Warn, nil, "AH00644: Error evaluating log condition: "+err.Error())
	}
	return ok && err == nil || errors.Is(err, pattern.ErrUndecided) // a line too many is better than a request that nobody sees
}
