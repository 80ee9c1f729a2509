package proxy

import (
	"errors"
	"slices"
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/balancer"
	"balancerd/proxy/mod/hcheck"
)

// worker is a worker while the configuration is read: its URL and what was said of it.
type worker struct {
	balancer.Address
	set balancer.WorkerSettings
}

// newWorker is a worker for a URL with the defaults of its kind.
func newWorker(s *directive.Scope, url string, match bool) (*worker, error) {
	a, err := balancer.ParseAddress(url, s.Config.Tree.RuntimePath(""), match)
	if err != nil {
		return nil, err
	}
	w := &worker{Address: a, set: balancer.NewWorkerSettings()}
	if a.Varies {
		w.set.AddressTTL.V = 0
	}
	w.set.DisableReuse.V = match && strings.Contains(a.URL, "$")
	return w, nil
}

// copyDefaults takes over what the server has said so far of all workers. httpd does so for workers of
// ProxyPass and BalancerMember, not for those of <Proxy> and ProxySet (mod_proxy.h PROXY_COPY_CONF_PARAMS).
func (w *worker) copyDefaults(s *directive.Scope) {
	c := servers.Merged(s.Server)
	if v, ok := c.timeout.Get(); ok {
		w.set.Timeout = balancer.Some(v)
	}
	if v, ok := c.receiveBuffer.Get(); ok {
		w.set.ReceiveBufferSize = balancer.Some(v)
	}
	if v, ok := c.ioBuffer.Get(); ok {
		w.set.IOBufferSize = balancer.Some(v)
	}
}

// setAll gives it the parameters of a line.
func (w *worker) setAll(s *directive.Scope, list params) error {
	env := envOf(s)
	for _, kv := range list {
		noteCheck(s, kv.key)
		if err := w.set.Set(kv.key, kv.value, env); err != nil {
			return named(err, kv)
		}
	}
	return nil
}

// named adds to a worker's unknown parameter its name, which httpd leaves out.
func named(err error, kv param) error {
	if balancer.IsUnknown(err) {
		return &directive.Hinted{Msg: err.Error(), Hint: unknownWorkerParam(kv)}
	}
	return err
}

func unknownWorkerParam(kv param) string {
	switch {
	case balancer.HealthParams.Named(kv.key) != nil:
		return kv.key + "= belongs to mod_proxy_hcheck.c: " + loadLine("proxy_hcheck")
	case balancer.BalancerParams.Named(kv.key) != nil:
		return kv.key + "= is a balancer's parameter: by ProxySet in its <Proxy> section, or on a line of ProxyPass to balancer://"
	}
	return noParam(kv, append(balancer.WorkerParams.Names(), balancer.HealthParams.Names()...))
}

// balancerHelp is the help where a balancer's parameter fails.
func balancerHelp(err error, kv param, methods []string) string {
	switch {
	case strings.EqualFold(kv.key, "lbmethod") && slices.Contains(lbMethods[:], kv.value):
		return kv.value + " belongs to mod_lbmethod_" + kv.value + ".c: " + loadLine("lbmethod_"+kv.value)
	case strings.EqualFold(kv.key, "lbmethod"):
		return "the methods that are loaded: " + strings.Join(methods, ", ")
	case !balancer.IsUnknown(err):
		return ""
	case balancer.WorkerParams.Named(kv.key) != nil, balancer.HealthParams.Named(kv.key) != nil:
		return kv.key + "= is a member's parameter: it stands on the lines of BalancerMember"
	}
	return noParam(kv, balancer.BalancerParams.Names())
}

func loadLine(module string) string {
	return "LoadModule " + module + "_module modules/mod_" + module + ".so"
}

func noParam(kv param, names []string) string {
	text := "there is no parameter " + kv.key + "=, as in " + kv.key + "=" + kv.value
	if near := directive.Nearest(kv.key, names); near != "" {
		text += "; did you mean " + near + "=?"
	}
	return text
}

// inFront puts the directive's name in front of an error's text.
func inFront(name string, err error) error {
	var h *directive.Hinted
	if errors.As(err, &h) {
		return &directive.Hinted{Msg: name + " " + h.Msg, Hint: h.Hint}
	}
	return errors.New(name + " " + err.Error())
}

// resolveReuse is what httpd decides once all parameters are known: a worker whose address can't be kept
// keeps no connection either. ignored reports that enablereuse= asked for what cannot be (httpd:
// proxy_util.c ap_proxy_initialize_worker).
func (w *worker) resolveReuse() (ignored bool) {
	s := &w.set
	reusable := !w.Varies && (s.AddressTTL.V != 0 && (s.AddressTTL.Set || !s.DisableReuse.V))
	if reusable || s.DisableReuse.V {
		return false
	}
	ignored = s.DisableReuse.Set
	s.DisableReuse.V = true
	return ignored
}

// param is one key=value word.
type param struct{ key, value string }

// params are the key=value words of a line. A repeated key, any case, keeps the first one's place and
// the last one's value (APR: apr_table_setn).
type params []param

func (p *params) set(key, value string) {
	for i := range *p {
		if strings.EqualFold((*p)[i].key, key) {
			(*p)[i].value = value
			return
		}
	}
	*p = append(*p, param{key, value})
}

// ours takes apart the parameters that httpd has not: a line may add them to a member that is there, so that the file's own lines
// stay as httpd reads them.
func (p params) ours() (ours, rest params) {
	for _, kv := range p {
		if q := balancer.WorkerParams.Named(kv.key); q != nil && q.Own {
			ours = append(ours, kv)
		} else {
			rest = append(rest, kv)
		}
	}
	return ours, rest
}

// noteCheck notes that a parameter of a line is about health checks.
func noteCheck(s *directive.Scope, key string) {
	if balancer.HealthParams.Named(key) != nil {
		hcheck.Use(s)
	}
}

// lbMethods are the methods that a module of their name brings.
var lbMethods = [...]string{"byrequests", "bytraffic", "bybusyness", "heartbeat"}

// envOf is what parameters may name at this place of the file.
func envOf(s *directive.Scope) balancer.Env {
	e := hcheck.Env(s)
	for _, m := range lbMethods {
		if s.Config.Loaded("mod_lbmethod_" + m + ".c") {
			e.Methods = append(e.Methods, m)
		}
	}
	return e
}
