package hcheck

import (
	"container/heap"
	"time"

	"balancerd/balancer"
)

// The first checks of a configuration come when an interval is over, as in httpd, but not later than soon, and one after
// the other: apart from each other by apart, or less where they are too many for that. So those of a member that is
// checked each second come each second, and in no moment all of them.
const (
	soon  = 5 * time.Second
	apart = 10 * time.Millisecond
)

// member is one that is, or could be, checked.
type member struct {
	*balancer.Worker
	target *target

	last    time.Time     // when its last check ended; at first when the configuration came into force
	first   time.Duration // before its first check, from last on; 0: interval
	asked   bool          // it is wanted now
	due     time.Time     // while it waits
	at      int           // its place in the queue; -1: it does not wait
	running bool          // a check is under way
	gone    bool          // it is no longer a member

	// Owned by the check that runs.
	unreachable bool // the last one did not come to a connection
	mute        bool // the last CPING was not answered as it should be
}

// schedule is who waits for a check, and when each is due. It knows no clock: all times are given.
type schedule struct {
	known map[*balancer.Worker]*member
	queue queue
}

// update takes in who is a member now, and what has been edited: methods, intervals, conditions, members that were added or are
// gone. begins says that a configuration comes into force; members that come later are checked at once.
func (s *schedule) update(now time.Time, all map[*balancer.Worker]*target, begins bool) {
	for w, m := range s.known {
		if all[w] == nil {
			m.gone = true
			s.remove(m)
			delete(s.known, w)
		}
	}
	for w, t := range all {
		m := s.known[w]
		if m == nil {
			m = &member{Worker: w, at: -1}
			if begins {
				m.last = now
			}
			s.known[w] = m
		}
		m.target = t
		m.asked = w.CheckAsked() || m.asked
	}
	if begins {
		s.spread()
	}
	for _, m := range s.known {
		s.place(m)
	}
}

// spread gives the members' first checks their times: those of one interval end with it.
func (s *schedule) spread() {
	count, given := map[time.Duration]int{}, map[time.Duration]int{}
	for _, m := range s.known {
		if m.Checkable() {
			count[m.Settings().Health.Interval]++
		}
	}
	for _, m := range s.known {
		interval := m.Settings().Health.Interval
		if n := count[interval]; n > 0 && m.Checkable() {
			window := min(interval, soon)
			m.first = window - time.Duration(n-1-given[interval])*min(apart, window/time.Duration(n))
			given[interval]++
		}
	}
}

// place puts a member into the queue, or takes it out.
func (s *schedule) place(m *member) {
	if m.running || m.gone || !m.Checkable() {
		s.remove(m)
		return
	}
	wait := m.Settings().Health.Interval
	if m.first > 0 {
		wait = min(wait, m.first)
	}
	m.due = m.last.Add(wait)
	if m.asked {
		m.due = time.Time{}
	}
	if m.at >= 0 {
		heap.Fix(&s.queue, m.at)
		return
	}
	heap.Push(&s.queue, m)
}

func (s *schedule) remove(m *member) {
	if m.at >= 0 {
		heap.Remove(&s.queue, m.at)
	}
}

// next takes the member that is due for longest; nil: nobody is.
func (s *schedule) next(now time.Time) *member {
	if len(s.queue) == 0 || s.queue[0].due.After(now) {
		return nil
	}
	m := heap.Pop(&s.queue).(*member)
	m.running, m.asked, m.first = true, false, 0
	return m
}

// over says that a member's check has ended.
func (s *schedule) over(m *member, now time.Time) {
	m.running, m.last = false, now
	s.place(m)
}

// wait is how long it takes until somebody is due; ok is false when nobody waits.
func (s *schedule) wait(now time.Time) (d time.Duration, ok bool) {
	if len(s.queue) == 0 {
		return 0, false
	}
	return s.queue[0].due.Sub(now), true
}

// queue is a heap, the one that is due first on top.
type queue []*member

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push is heap.Interface's.
func (q *queue) Push(x any) {
	m := x.(*member)
	m.at = len(*q)
	*q = append(*q, m)
}

// Pop is heap.Interface's.
func (q *queue) Pop() any {
	old := *q
	m := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	m.at = -1
	return m
}
