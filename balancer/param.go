package balancer

import (
	"errors"
	"iter"
	"maps"
	"strings"
)

// Param is one line of a parameter table: what a configuration line, the manager's form and page,
// its XML and JSON, and the store's record know of one setting. Name or Form may be empty, any
// function may be nil: then that reader passes the line over.
type Param[S any] struct {
	Name    string                                // in the configuration, any case
	Form    string                                // the manager's field, any case
	Label   string                                // of that field
	Set     func(s *S, value string, e Env) error // as the configuration does; the error is httpd's text
	FormSet func(s *S, value string, e Env) bool  // as the manager does: false says that a bad value was ignored
	Get     func(s *S) (value string, set bool)   // what Set would take to make it so
	Show    func(s *S) string                     // what the form's field shows; nil: as Get
	Help    string
	Own     bool // httpd has no such parameter
}

// Value is the text that the form's field shows.
func (p *Param[S]) Value(s *S) string {
	if p.Show != nil {
		return p.Show(s)
	}
	v, _ := p.Get(s)
	return v
}

// Table is all parameters of one kind of settings, in the order of the manager's form.
type Table[S any] []Param[S]

// Named finds the parameter that a configuration calls key; nil for none.
func (t Table[S]) Named(key string) *Param[S] {
	for i := range t {
		if t[i].Set != nil && strings.EqualFold(t[i].Name, key) {
			return &t[i]
		}
	}
	return nil
}

// Names are the parameters' names, as the configuration has them.
func (t Table[S]) Names() []string {
	var names []string
	for i := range t {
		if t[i].Set != nil {
			names = append(names, t[i].Name)
		}
	}
	return names
}

// Field finds the parameter that the manager's form calls name; nil for none.
func (t Table[S]) Field(name string) *Param[S] {
	for i := range t {
		if t[i].FormSet != nil && strings.EqualFold(t[i].Form, name) {
			return &t[i]
		}
	}
	return nil
}

// Pairs is all parameters of s that are set, by name, as their Set would take them, in the order of the table.
func (t Table[S]) Pairs(s *S) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := range t {
			if t[i].Get == nil || t[i].Name == "" {
				continue
			}
			if v, set := t[i].Get(s); set && !yield(t[i].Name, v) {
				return
			}
		}
	}
}

// Values is Pairs as a map.
func (t Table[S]) Values(s *S) map[string]string { return maps.Collect(t.Pairs(s)) }

// Env is what values may name: it differs by virtual host and by the modules loaded. Immutable.
type Env struct {
	Methods   []string   // the lbmethods loaded
	HCheck    bool       // mod_proxy_hcheck is loaded: hc* parameters exist
	CPing     bool       // mod_proxy_ajp is loaded: hcmethod=CPING exists
	Templates []Template // ProxyHCTemplate of this server
	Exprs     []Expr     // ProxyHCExpr of this server
}

// Template is one ProxyHCTemplate.
type Template struct {
	Name string
	Health
}

// Expr is one ProxyHCExpr: its name and its text.
type Expr struct{ Name, Text string }

// hasExpr reports whether an expression of that name, any case, is defined.
func (e Env) hasExpr(name string) bool {
	for _, x := range e.Exprs {
		if strings.EqualFold(x.Name, name) {
			return true
		}
	}
	return false
}

// hasMethod reports whether an lbmethod of exactly that name is loaded.
func (e Env) hasMethod(name string) bool {
	for _, m := range e.Methods {
		if m == name {
			return true
		}
	}
	return false
}

// unknownParam is the error of a parameter that there is not.
type unknownParam string

func (e unknownParam) Error() string { return string(e) }

const (
	errWorkerParam   unknownParam = "unknown Worker parameter"
	errHealthParam   unknownParam = "unknown Worker hcheck parameter"
	errBalancerParam unknownParam = "unknown Balancer parameter"
)

// IsUnknown reports whether a Set failed because there is no parameter of that name, which httpd's text
// does not say.
func IsUnknown(err error) bool {
	var u unknownParam
	return errors.As(err, &u)
}

// Set gives a worker the parameter key, any case. The error's text is httpd's, without the name of
// the directive (httpd: mod_proxy.c set_worker_param).
func (s *WorkerSettings) Set(key, value string, e Env) error {
	if p := WorkerParams.Named(key); p != nil {
		return p.Set(s, value, e)
	}
	if !e.HCheck {
		return errWorkerParam
	}
	return s.Health.Set(key, value, e)
}

// Set gives a health check the parameter key, any case: what ProxyHCTemplate does, and a worker's
// hc* parameters (httpd: mod_proxy_hcheck.c set_worker_hc_param).
func (h *Health) Set(key, value string, e Env) error {
	if p := HealthParams.Named(key); p != nil {
		return p.Set(h, value, e)
	}
	return errHealthParam
}

// Set gives a balancer the parameter key, any case (httpd: mod_proxy.c set_balancer_param).
func (s *BalancerSettings) Set(key, value string, e Env) error {
	if p := BalancerParams.Named(key); p != nil {
		return p.Set(s, value, e)
	}
	return errBalancerParam
}
