package manager

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"balancerd/balancer"
)

// apply makes the change that the form asks for.
func (v *visit) apply() *refusal {
	switch {
	case v.selected == nil:
		return refused(http.StatusNotFound, "no such balancer")
	case !v.authorised():
		v.notice = "nothing was changed: the form is older than the last reload, or not this balancer's; send it again"
		return refused(http.StatusForbidden, "the nonce is not this balancer's")
	case v.json && v.worker == nil && v.form.has("w"):
		return refused(http.StatusNotFound, "no such member")
	}
	if v.form.has("check") {
		return v.check()
	}
	c := v.form.change(v.facts.VHost, v.selected, v.worker)
	url, add := v.form.newMember()
	if len(c.Form) == 0 && !add {
		return nil
	}
	bad := add && !v.addable(url)
	if !bad {
		c.Add = url
	}
	before := fieldsOf(v.selected, v.worker)
	err := v.farm.Apply(v.r.Context(), c)
	if err == nil && bad {
		err = balancer.ErrBadAddress
	}
	v.notice = before.changes()
	return v.outcome(url, err)
}

// check has the member's health check made now. What else is in the form counts for nothing.
func (v *visit) check() *refusal {
	c := balancer.Change{VHost: v.facts.VHost, Balancer: v.selected.Name(), Check: true}
	if v.worker != nil {
		c.Worker = v.worker.URL()
	}
	err := v.farm.Apply(v.r.Context(), c)
	switch {
	case err == nil:
		v.notice = c.Worker + " is being checked"
		return nil
	case errors.Is(err, balancer.ErrNotChecked):
		v.notice = "not checked: " + err.Error()
		return refused(http.StatusConflict, err.Error())
	}
	return refused(http.StatusNotFound, err.Error())
}

// addable reports whether a member may be added at url. Sockets are for balancers that have one: the
// form shall not reach what else listens on this machine.
func (v *visit) addable(url string) bool {
	onSocket := func(w *balancer.Worker) bool { return w.Address().Socket != "" }
	socket := len(url) >= 5 && strings.EqualFold(url[:5], "unix:")
	return url != "" && (!socket || slices.ContainsFunc(v.selected.Members(), onSocket))
}

// outcome logs what became of an edit, and why: httpd leaves that out. It tells two ways of not adding a member apart; what else
// was in the form holds in both.
func (v *visit) outcome(url string, err error) *refusal {
	var unkept *balancer.SaveError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unkept):
		if !unkept.Repeated {
			v.logf(slog.LevelError, v.selected.Name()+": "+err.Error())
		}
		v.unkept = "not saved, ends with the server: " + unkept.Err.Error()
		return refused(http.StatusInsufficientStorage, err.Error()+"; the edit holds until the server ends")
	case errors.Is(err, balancer.ErrDuplicate), errors.Is(err, balancer.ErrNoFreeSlot):
		v.logf(slog.LevelError, "AH10164: "+v.selected.Name()+": failed to add worker "+url)
	case errors.Is(err, balancer.ErrBadAddress):
		v.logf(slog.LevelError, "AH10163: "+v.selected.Name()+": failed to add worker "+url)
	default: // the balancer or member went away in a reload meanwhile
		return refused(http.StatusNotFound, err.Error())
	}
	v.logf(slog.LevelError, v.selected.Name()+": "+url+" was not added: "+err.Error())
	v.notice = strings.TrimPrefix(v.notice+"; "+url+" was not added: "+err.Error(), "; ")
	return refused(http.StatusBadRequest, err.Error())
}
