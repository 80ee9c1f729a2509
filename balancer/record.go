package balancer

import (
	"hash/maphash"
	"slices"
	"strconv"
	"time"
)

// Record is what is kept of a balancer, in two halves that are written apart.
type Record struct {
	Settings SettingsRecord
	State    *StateRecord // nil: not kept, or damaged
}

// SettingsRecord is what operators mean: the parameters of a balancer and its members, by the names
// of the parameter tables (what is at its default is left out), and the conditions that they set. It
// changes with the configuration and with edits, never with traffic.
type SettingsRecord struct {
	VHost    string            `json:"vhost"`
	Balancer string            `json:"balancer"`
	Revision uint64            `json:"revision"`        // grows with each edit, whoever made it
	Stale    bool              `json:"stale,omitempty"` // since this revision figures are to be reset; see StateRecord
	Settings map[string]string `json:"settings"`
	Members  []MemberSettings  `json:"members"`
}

// MemberSettings is the settings of a member.
type MemberSettings struct {
	Worker   string            `json:"worker"`           // Worker.Name
	Added    bool              `json:"added,omitempty"`  // by the manager, not by the configuration
	Status   string            `json:"status,omitempty"` // letters of the conditions that an administrator sets, see Status.Letters
	Own      string            `json:"own,omitempty"`    // of the others, as this revision left them; see StateRecord
	Settings map[string]string `json:"settings"`
}

// StateRecord is what happened to a balancer's members at this node. Where its revision is older
// than the settings' one, an edit came after it: then Stale and Own of the settings count in place of
// Stale and the conditions here.
type StateRecord struct {
	VHost    string        `json:"vhost"`
	Balancer string        `json:"balancer"`
	Revision uint64        `json:"revision"`        // of the settings at that time
	Stale    bool          `json:"stale,omitempty"` // figures are to be reset
	Members  []MemberState `json:"members"`
}

// MemberState is the state of a member.
type MemberState struct {
	Worker string `json:"worker"` // Worker.Name
	State
}

// State is what happened to a worker.
type State struct {
	Status    string    `json:"status"` // letters of the conditions that no administrator sets
	Elected   uint64    `json:"elected"`
	Load      int64     `json:"lbstatus"`
	Sent      int64     `json:"transferred"`
	Read      int64     `json:"read"`
	ErrorTime time.Time `json:"error_time,omitzero"`
	Retries   int       `json:"retries,omitempty"`
	Passes    int       `json:"passes,omitempty"` // of the health check, so far
	Fails     int       `json:"fails,omitempty"`
}

// byAdministrator is the conditions that an administrator sets; the others are each node's own.
const byAdministrator = IgnoreErrors | Draining | Disabled | Stopped | Standby | Spare

// lastEdit is the number of the last edit, and what it did besides to this node's state.
type lastEdit struct {
	revision uint64
	stale    bool
	own      map[*Worker]Status // conditions that no administrator sets; members without any are left out
}

// note says that the edit left w in these conditions.
func (e *lastEdit) note(w *Worker, s Status) {
	if s &^= byAdministrator | Init; s == 0 {
		return
	}
	if e.own == nil {
		e.own = map[*Worker]Status{}
	}
	e.own[w] = s
}

// revise counts an edit as number revision. Under group.mu.
func (b *Balancer) revise(revision uint64) {
	b.lastEdit = lastEdit{revision: revision, stale: b.stale}
	for _, w := range b.group.list() {
		b.lastEdit.note(w, w.Status())
	}
}

// sum is a number by which this process tells records apart: equal ones have the same.
func (r *SettingsRecord) sum() uint64 {
	var h maphash.Hash
	h.SetSeed(sumSeed)
	write := func(texts ...string) {
		for _, s := range texts {
			h.WriteString(strconv.Itoa(len(s)) + ":") // which tells "a", "b" from "ab"
			h.WriteString(s)
		}
	}
	write(r.VHost, r.Balancer, strconv.FormatUint(r.Revision, 10), strconv.FormatBool(r.Stale), strconv.FormatUint(sumOf(r.Settings), 10))
	for i := range r.Members {
		m := &r.Members[i]
		write(m.Worker, strconv.FormatBool(m.Added), m.Status, m.Own, strconv.FormatUint(sumOf(m.Settings), 10))
	}
	return h.Sum64()
}

var sumSeed = maphash.MakeSeed()

// sumOf is the sum of values, whatever their order.
func sumOf(m map[string]string) (sum uint64) {
	for k, v := range m {
		sum += maphash.Comparable(sumSeed, [2]string{k, v})
	}
	return sum
}

// equal reports whether o says the same.
func (r StateRecord) equal(o *StateRecord) bool {
	return r.VHost == o.VHost && r.Balancer == o.Balancer && r.Revision == o.Revision && r.Stale == o.Stale && slices.Equal(r.Members, o.Members)
}

func (r *SettingsRecord) key() balancerKey { return balancerKey{r.VHost, CanonicalName(r.Balancer)} }

// settingsRecord is the settings of b and its members now.
func (b *Balancer) settingsRecord() SettingsRecord {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	r := SettingsRecord{VHost: b.vhost, Balancer: b.name, Revision: b.lastEdit.revision, Stale: b.lastEdit.stale,
		Settings: BalancerParams.Values(b.Settings())}
	list := b.group.list()
	r.Members = make([]MemberSettings, 0, len(list))
	for _, w := range list {
		r.Members = append(r.Members, MemberSettings{
			Worker:   w.Name(),
			Added:    w.added,
			Status:   (w.Status() & byAdministrator).Letters(),
			Own:      b.lastEdit.own[w].Letters(),
			Settings: w.recorded(len(list) >= many),
		})
	}
	return r
}

// stateRecord is what happened to b's members until now.
func (b *Balancer) stateRecord() StateRecord {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	list := b.group.list()
	r := StateRecord{VHost: b.vhost, Balancer: b.name, Revision: b.lastEdit.revision, Stale: b.stale, Members: make([]MemberState, 0, len(list))}
	for _, w := range list {
		r.Members = append(r.Members, MemberState{w.Name(), w.state()})
	}
	return r
}

// state is what happened to w until now. Under group.mu.
func (w *Worker) state() State {
	return State{
		Status:    (w.Status() &^ byAdministrator).Letters(),
		Elected:   w.elected,
		Load:      w.lbstatus(),
		Sent:      w.sent.Load(),
		Read:      w.read.Load(),
		ErrorTime: w.errorTime.Round(0).UTC(),
		Retries:   w.retries,
		Passes:    w.passes,
		Fails:     w.fails,
	}
}

// SplitStatus is the letters of a status apart: those of conditions that an administrator sets, and those
// of each node's own. What is no letter of a status ends it.
func SplitStatus(letters string) (set, own string) {
	s, _ := ParseStatus(letters, 0)
	return (s & byAdministrator).Letters(), (s &^ byAdministrator).Letters()
}
