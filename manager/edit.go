package manager

import (
	"fmt"
	"strings"

	"balancerd/balancer"
)

// edit is the form below the lists: a member's when one is selected, else a balancer's.
type edit struct {
	Subject  string // what the heading names
	Socket   bool   // it is a member on a unix socket
	Action   string
	Worker   string // the hidden w, URL-encoded; "" for a balancer's form
	Balancer string
	Nonce    string
	Fields   []input
	Flags    []input // a member's conditions
	Health   []input // its checks
	CheckNow bool    // one can be asked for
	CanAdd   bool    // another member can be added
	Full     string  // why not
}

// input is one field of a form.
type input struct {
	Name, Label, Value string
	Number             bool // httpd quotes these values otherwise
	On                 bool // of a radio button
	Select, Radio      bool
	Options            []option
}

type option struct {
	Value string
	On    bool
}

// inputs says which widgets are no plain text fields.
var inputs = map[string]input{
	"w_lf": {Number: true}, "w_ls": {Number: true},
	"w_hm": {Select: true}, "w_he": {Select: true}, "w_hi": {Number: true}, "w_hp": {Number: true}, "w_hf": {Number: true},
	"b_lbm": {Select: true}, "b_tmo": {Number: true}, "b_max": {Number: true}, "b_sforce": {Radio: true},
}

// editOf is the form for what is selected, by the parameter tables.
func (v *visit) editOf(checks bool) *edit {
	b := v.selected
	name := strings.TrimPrefix(b.Name(), balancer.Prefix)
	e := &edit{Subject: b.Name(), Action: v.facts.Base + linkPath(v.r.URL.Path), Balancer: name, Nonce: b.Settings().Nonce.V, CanAdd: b.HasFreeSlot()}
	env := b.Env()
	if v.worker == nil {
		if most, _ := b.MaxMembers(); !e.CanAdd {
			e.Full = fmt.Sprintf("No member can be added here: the balancer may have %d. ProxySet growth= allows more.", most)
		}
		e.Fields = inputsOf(balancer.BalancerParams, b.Settings(), env)
		return e
	}
	e.Subject, e.Socket, e.Worker = v.worker.Name(), v.worker.Address().Socket != "", escape(v.worker.URL())
	e.CheckNow = checks && v.worker.Checkable()
	s := v.worker.LiveSettings()
	for _, in := range inputsOf(balancer.WorkerParams, &s, env) {
		switch {
		case strings.HasPrefix(in.Name, "w_status_"):
			if checks || in.Name != "w_status_C" {
				e.Flags = append(e.Flags, in)
			}
		case strings.HasPrefix(in.Name, "w_h"):
			if checks {
				e.Health = append(e.Health, in)
			}
		default:
			e.Fields = append(e.Fields, in)
		}
	}
	return e
}

func inputsOf[S any](table balancer.Table[S], s *S, env balancer.Env) (list []input) {
	for _, p := range table {
		if p.FormSet == nil {
			continue
		}
		in := inputs[p.Form]
		in.Name, in.Label, in.Value = p.Form, p.Label, p.Value(s)
		in.On = in.Value == "1"
		if in.Name == "w_hf" {
			in.Label += ")" // httpd's own slip; texts are compared
		}
		for _, choice := range choices(p.Form, env) {
			in.Options = append(in.Options, option{choice, strings.EqualFold(choice, in.Value)})
		}
		list = append(list, in)
	}
	return list
}

// choices are the values that a field offers.
func choices(form string, env balancer.Env) (list []string) {
	switch form {
	case "b_lbm":
		return env.Methods
	case "w_hm":
		for _, m := range env.Checks() {
			list = append(list, m.String())
		}
	case "w_he":
		for _, x := range env.Exprs {
			list = append(list, x.Name)
		}
	}
	return list
}
