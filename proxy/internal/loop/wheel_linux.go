package loop

// wheel is a timer wheel of the ends of a loop's waits, in slots of one tick each. A timer stays in its slot
// when its end is put off, and is looked at again when that slot is due: setting a later end costs nothing.
// Owned by the loop: see owner_linux.go.
type wheel struct {
	slots [wheelSlots]timer // rings
	least [wheelSlots]int64 // no entry of a slot ends before this; 0: the slot is empty
	tick  int64             // the last one that was looked at
	first int64             // no entry at all ends before this tick; 0: it has to be worked out
	n     int
}

const (
	tickShift  = 24 // a tick is 17 ms
	wheelSlots = 512
)

// timer is an entry of a wheel.
type timer struct {
	next, prev *timer // nil: not in a wheel
	slot       int64  // the tick it was put at
	by         int64  // when the wait ends; the owner may put it off at any time
	task       *Task  // whose it is
	fd         *Fd    // or whose
}

func (w *wheel) init(now int64) {
	for i := range w.slots {
		s := &w.slots[i]
		s.next, s.prev = s, s
	}
	w.tick = now >> tickShift
}

// set has due give t once the time is by.
func (w *wheel) set(t *timer, by int64) {
	t.by = by
	if t.next != nil {
		if t.slot <= by>>tickShift+1 {
			return
		}
		w.remove(t)
	}
	w.insert(t)
}

func (w *wheel) insert(t *timer) {
	t.slot = max(t.by>>tickShift+1, w.tick+1)
	i := t.slot % wheelSlots
	s := &w.slots[i]
	t.prev, t.next = s, s.next
	t.next.prev, s.next = t, t
	w.lessen(i, t.slot)
	if t.slot < w.first {
		w.first = t.slot
	}
	w.n++
}

// unset takes t off the wheel if it is on it.
func (w *wheel) unset(t *timer) {
	if t.next != nil {
		w.remove(t)
	}
}

func (w *wheel) remove(t *timer) {
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev = nil, nil
	w.n--
}

// next is when the next timer may be due, 0: never. It may be too early, never too late.
func (w *wheel) next() int64 {
	if w.n == 0 {
		return 0
	}
	if w.first <= w.tick {
		w.first = 0
		for _, t := range w.least {
			if t != 0 && (w.first == 0 || t < w.first) {
				w.first = t
			}
		}
	}
	return w.first << tickShift
}

// due takes a timer whose time is over off the wheel; nil: there is none.
func (w *wheel) due(now int64) *timer {
	for to := now >> tickShift; w.tick < to; w.tick++ {
		i := (w.tick + 1) % wheelSlots
		if w.least[i] == 0 || w.least[i] > w.tick+1 {
			continue
		}
		if t := w.scan(i, now); t != nil {
			return t
		}
	}
	return nil
}

// scan is due of one slot. Timers whose end was put off move to the slot where it is now.
func (w *wheel) scan(i, now int64) *timer {
	s := &w.slots[i]
	w.least[i] = 0
	for t := s.next; t != s; {
		next := t.next
		switch {
		case t.slot > w.tick+1 && t.alive():
			w.lessen(i, t.slot)
		case !t.alive():
			w.remove(t)
		case t.by <= now:
			w.remove(t)
			w.lessen(i, w.tick+1) // the rest is looked at next
			return t
		default:
			w.remove(t)
			w.insert(t)
		}
		t = next
	}
	return nil
}

func (w *wheel) lessen(i, slot int64) {
	if w.least[i] == 0 || slot < w.least[i] {
		w.least[i] = slot
	}
}

// alive reports whether anybody still waits.
func (t *timer) alive() bool {
	if t.task != nil {
		return t.task.waitsFor != nil
	}
	return t.fd.r.p.Load() == &parked
}
