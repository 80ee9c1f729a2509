package manager

import (
	"slices"
	"strings"

	"balancerd/balancer"
)

// fieldsBefore is what a form's fields showed before an edit.
type fieldsBefore struct {
	balancer *balancer.Balancer
	worker   *balancer.Worker
	members  []*balancer.Worker
	fields   map[string]string
}

func fieldsOf(b *balancer.Balancer, w *balancer.Worker) *fieldsBefore {
	return &fieldsBefore{balancer: b, worker: w, members: b.Members(), fields: shown(b, w)}
}

// shown is all fields of the forms as they are now.
func shown(b *balancer.Balancer, w *balancer.Worker) map[string]string {
	m := map[string]string{}
	show(m, balancer.BalancerParams, b.Settings())
	if w != nil {
		s := w.LiveSettings()
		show(m, balancer.WorkerParams, &s)
	}
	return m
}

func show[S any](m map[string]string, table balancer.Table[S], s *S) {
	for _, p := range table {
		if p.FormSet != nil {
			m[p.Form] = p.Value(s)
		}
	}
}

// flagWords says in words what a radio button of a member did.
var flagWords = map[string]struct{ on, off string }{
	"w_status_I": {"ignores errors", "no longer ignores errors"},
	"w_status_N": {"drains", "no longer drains"},
	"w_status_D": {"disabled", "enabled"},
	"w_status_H": {"is a hot standby", "is no hot standby"},
	"w_status_R": {"is a hot spare", "is no hot spare"},
	"w_status_C": {"counts as failed by its health check", "no longer counts as failed by its health check"},
	"w_status_S": {"stopped", "started"},
	"b_sforce":   {"does not fail over", "fails over"},
}

// changes is what is different now, in words: "b1 disabled; n2's load factor is now 5.00".
func (m *fieldsBefore) changes() string {
	now := shown(m.balancer, m.worker)
	var said []string
	if m.worker != nil {
		said = compare(said, balancer.WorkerParams, nameOf(m.worker), m.fields, now)
	}
	said = compare(said, balancer.BalancerParams, m.balancer.Name(), m.fields, now)
	for _, w := range m.balancer.Members() {
		if !slices.Contains(m.members, w) {
			said = append(said, w.Name()+" added, disabled for now")
		}
	}
	return strings.Join(said, "; ")
}

func compare[S any](said []string, table balancer.Table[S], subject string, before, now map[string]string) []string {
	for _, p := range table {
		old, is := before[p.Form], now[p.Form]
		words, flag := flagWords[p.Form]
		switch {
		case p.FormSet == nil || old == is:
		case flag && is == "1":
			said = append(said, subject+" "+words.on)
		case flag:
			said = append(said, subject+" "+words.off)
		case is == "":
			said = append(said, subject+" has no "+fieldName(p.Form, p.Label)+" now")
		default:
			said = append(said, subject+"'s "+fieldName(p.Form, p.Label)+" is now "+is)
		}
	}
	return said
}

// fieldName is a label inside a sentence.
func fieldName(form, label string) string {
	if strings.HasPrefix(form, "w_h") {
		return "health check " + strings.ToLower(strings.TrimPrefix(label, "HC "))
	}
	if label == "LBmethod" {
		return "method"
	}
	return strings.ToLower(label)
}

// nameOf is what people call a member: its route if it has one.
func nameOf(w *balancer.Worker) string {
	if route := w.Settings().Route; route != "" {
		return route
	}
	return w.Name()
}
