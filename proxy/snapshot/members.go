package snapshot

import (
	"balancerd/balancer"
	"balancerd/proxy/backend"
)

// Balancer is one reading of a balancer. What it points to is not to be written to.
type Balancer struct {
	Name     string // "balancer://app"
	Settings *balancer.BalancerSettings
	Members  []Member // in their order
}

// Member is one reading of a member: its settings, its status and its figures (balancer.Snapshot), and its pool.
type Member struct {
	Name    string // as the manager and the log have it: its URL, or "unix:/path|URL"
	Address balancer.Address
	balancer.Snapshot
	Idle int // connections to it that are open and wait for a request
}

// Balancers reads the balancers of a virtual host, which is named by its exchange.Server.ID, in order of definition.
func (s *Source) Balancers(vhost string) []Balancer {
	list := s.Farm.Balancers(vhost)
	out := make([]Balancer, 0, len(list))
	for _, b := range list {
		members := b.Members()
		row := Balancer{Name: b.Name(), Settings: b.Settings(), Members: make([]Member, len(members))}
		for i, w := range members {
			row.Members[i] = Member{Name: w.Name(), Address: w.Address(), Snapshot: w.Snapshot(), Idle: backend.Idle(w)}
		}
		out = append(out, row)
	}
	return out
}
