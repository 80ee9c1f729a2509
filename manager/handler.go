package manager

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"balancerd/balancer"
)

// Farm is what the manager shows and edits; *balancer.Farm is one.
type Farm interface {
	// Balancers is the balancers of a virtual host, in order of definition.
	Balancers(vhost string) []*balancer.Balancer
	// Apply makes an edit. *balancer.SaveError: it holds but could not be kept.
	Apply(ctx context.Context, c balancer.Change) error
}

var _ Farm = (*balancer.Farm)(nil)

// Options of New. Every field may be left out.
type Options struct {
	Version string                                 // "Apache/2.4.71 (Debian)"
	Built   string                                 // "2026-11-12T08:58:41"
	Key     []byte                                 // signs the notice cookie, 32 bytes; nil: a random one
	Log     func(level slog.Level, message string) // for requests whose Facts have none
}

// Handler is the manager. It may be used by many goroutines.
type Handler struct {
	farm    Farm
	version string
	built   string
	log     func(slog.Level, string)
	session *session
}

// New makes the manager of a farm.
func New(f Farm, o Options) *Handler {
	if o.Log == nil {
		o.Log = func(slog.Level, string) {}
	}
	return &Handler{farm: f, version: o.Version, built: o.Built, log: o.Log, session: newSession(o.Key)}
}

// visit is one request to the manager.
type visit struct {
	*Handler
	facts    Facts
	r        *http.Request
	form     form
	json     bool                 // the answer shall be JSON
	all      []*balancer.Balancer // of the virtual host
	selected *balancer.Balancer   // by b
	worker   *balancer.Worker     // by w, a member of selected
	notice   string               // what an edit did, or did a moment ago
	unkept   string               // why it could not be saved
}

// ServeHTTP answers GET and HEAD with the page and POST with the page after the edit (httpd:
// mod_proxy_balancer.c balancer_handler).
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{Handler: h, facts: factsOf(r), r: r}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		v.serve(w)
	case http.MethodOptions:
		w.Header().Set("Allow", v.facts.Allow())
	default:
		w.Header().Set("Allow", v.facts.Allow())
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (v *visit) serve(w http.ResponseWriter) {
	status, err := v.read(w)
	if err != nil {
		w.WriteHeader(status)
		return
	}
	v.all = v.farm.Balancers(v.facts.VHost)
	for _, b := range v.all {
		b.Sync()
	}
	refusal := v.decide()
	switch {
	case refusal == nil:
	case v.json:
		refusal.json(w)
		return
	case refusal.status == http.StatusBadRequest:
		v.carryNotice(w)              // the next page says why
		w.WriteHeader(refusal.status) // the server has a page for that
		return
	}
	v.answer(w)
}

// decide checks the request, finds what it selects and makes its edit. Of all refusals the
// page knows but one, that of a new member.
func (v *visit) decide() *refusal {
	if !v.trusted() {
		v.logf(slog.LevelError, "AH10187: ignoring params in balancer-manager cross-site access "+v.referer()+": "+v.facts.ServerName)
		v.form = form{}
		return refused(http.StatusForbidden, "neither the Referer nor "+nonceHeader+" is right")
	}
	if name, ok := v.form.get("b"); ok {
		v.selected = find(v.all, name)
	}
	if v.selected != nil && v.form.has("w") {
		v.worker = v.form.worker(v.selected)
	}
	if v.r.Method != http.MethodPost {
		return nil
	}
	return v.apply()
}

// find finds the balancer called name, any case, without the prefix.
func find(all []*balancer.Balancer, name string) *balancer.Balancer {
	full := balancer.CanonicalName(balancer.Prefix + name)
	for _, b := range all {
		if b.Name() == full {
			return b
		}
	}
	return nil
}

// answer prints the state as it is now.
func (v *visit) answer(w http.ResponseWriter) {
	v.carryNotice(w)
	page := v.view()
	h := w.Header()
	switch {
	case v.json:
		h.Set("Content-Type", "application/json")
		send(w, page.json())
	case v.form.has("xml"):
		h.Set("Content-Type", "text/xml")
		send(w, page.xml())
	default:
		h.Set("Content-Type", "text/html; charset=ISO-8859-1")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'")
		send(w, page.html())
	}
}

// send lets a server that can read a body by itself do so, as the client takes it; to others it is written.
func send(w http.ResponseWriter, d *document) {
	if s, can := w.(interface{ SetBody(io.Reader) }); can {
		s.SetBody(d)
		return
	}
	d.WriteTo(w) // what comes of it is the server's matter
}

// carryNotice sends a browser the notice of its edit as a cookie, and takes the one that it brings for this
// page.
func (v *visit) carryNotice(w http.ResponseWriter) {
	plain := !v.json && !v.form.has("xml") && v.r.Header.Get(nonceHeader) == ""
	switch {
	case !plain || v.r.Method == http.MethodHead:
		v.notice = ""
	case v.r.Method == http.MethodGet:
		v.notice = v.session.take(w, v.r)
	case v.unkept != "": // what is not kept is said at once, and once more
		v.notice = strings.TrimPrefix(v.notice+"; "+v.unkept, "; ")
		v.session.leave(w, v.r, v.notice)
	case v.notice != "":
		v.session.leave(w, v.r, v.notice)
		v.notice = ""
	}
}

func (v *visit) logf(level slog.Level, message string) {
	if v.facts.Log != nil {
		v.facts.Log(level, message)
		return
	}
	v.log(level, message)
}

// only is the balancer that the path's last segment names: /balancer-manager/NAME. nil: all.
func (v *visit) only() *balancer.Balancer {
	path := strings.TrimSuffix(v.r.URL.Path, "/")
	i := strings.LastIndexByte(path, '/')
	if i <= 0 {
		return nil
	}
	return find(v.all, path[i+1:])
}
