package balancer

import "time"

// obstacles are the conditions that keep a member from being chosen, with the word for each.
var obstacles = [...]struct {
	bit  Status
	word string
}{
	{Stopped, "stopped"}, {Disabled, "disabled"}, {Shutdown, "shut down"}, {CheckFailed, "health check"}, {InError, "error"},
}

// WhyNot is why member w of b could not have been chosen in the place of c.Worker, in a word; "" if it could. s is
// how it was at now, before the pick; of a pick that chose nobody c has no Worker.
func (b *Balancer) WhyNot(w *Worker, s *Snapshot, c *Claim, now time.Time) string {
	status := s.Status
	if status&InError != 0 && (status&IgnoreErrors != 0 || now.Sub(s.ErrorTime) > s.Settings.Retry.V) {
		status &^= InError // it is retried
	}
	for _, o := range obstacles {
		if status&o.bit != 0 {
			return o.word
		}
	}
	switch chosen := c.Worker; {
	case chosen == w || chosen == nil:
		return ""
	case c.Sticky:
		return "route"
	case b.method.Load().Whole:
		return ""
	case status&Draining != 0:
		return "draining"
	case s.Settings.LBSet != chosen.Settings().LBSet:
		return "other set"
	case status&Spare != 0 && !chosen.has(Spare):
		return "spare"
	case status&Standby != 0 && !chosen.has(Standby):
		return "standby"
	}
	return ""
}
