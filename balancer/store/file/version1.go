package file

import (
	"encoding/json"

	"balancerd/balancer"
)

// record1 is the record of a file of version 1: settings and state in one, without a revision.
type record1 struct {
	VHost    string            `json:"vhost"`
	Balancer string            `json:"balancer"`
	Settings map[string]string `json:"settings"`
	Stale    bool              `json:"stale"`
	Members  []member1         `json:"members"`
}

type member1 struct {
	Worker   string            `json:"worker"`
	Added    bool              `json:"added"`
	Settings map[string]string `json:"settings"`
	State    balancer.State    `json:"state"` // its status has all letters
}

// decodeVersion1 splits a record of version 1.
func decodeVersion1(text []byte) (balancer.Record, error) {
	var old record1
	if err := json.Unmarshal(text, &old); err != nil {
		return balancer.Record{}, err
	}
	settings := balancer.SettingsRecord{VHost: old.VHost, Balancer: old.Balancer, Settings: old.Settings}
	state := balancer.StateRecord{VHost: old.VHost, Balancer: old.Balancer, Stale: old.Stale}
	for _, m := range old.Members {
		set, own := balancer.SplitStatus(m.State.Status)
		settings.Members = append(settings.Members, balancer.MemberSettings{Worker: m.Worker, Added: m.Added, Status: set, Settings: m.Settings})
		m.State.Status = own
		state.Members = append(state.Members, balancer.MemberState{Worker: m.Worker, State: m.State})
	}
	settings, state = mapSettings(settings, unquote), mapState(state, unquote)
	return balancer.Record{Settings: settings, State: &state}, nil
}
