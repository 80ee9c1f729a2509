package balancer

import (
	"crypto/sha256"
	"sync/atomic"
	"time"
)

// Memory keeps what members and balancers are and count where it outlives this process, as httpd does in
// shared memory (httpd: mod_slotmem_shm.c): conditions and edits as they change, counters once a second.
// It is for the process that takes over when this one dies; BalancerPersist is about a new start.
type Memory interface {
	// Rows makes a row for each key and has fill write them. They take the place of those of an earlier
	// call, which are no longer written to when fill returns. They may be read by another
	// process at any moment.
	Rows(keys []RowKey, fill func([]Row)) error
	// Edits keeps these records in place of all earlier ones.
	Edits([]SettingsRecord) error
	// Edit keeps r in place of an earlier record of its balancer. It reports whether too little of what was given
	// to it counts by now, so that Edits should be called.
	Edit(r SettingsRecord) (long bool, err error)
}

// Predecessor is what a process that served before has left in its Memory. The zero value is nothing.
type Predecessor struct {
	Rows  map[RowKey]Figures
	Edits []SettingsRecord
}

// RowKey names a row: a member, a plain worker, or a balancer itself.
type RowKey [16]byte

// NewRowKey is the row of a worker; of the balancer itself without a worker, of a plain worker without a
// balancer.
func NewRowKey(vhost, balancer, worker string) (k RowKey) {
	sum := sha256.Sum256([]byte(vhost + "\x00" + balancer + "\x00" + worker))
	return RowKey(sum[:])
}

// Row is the figures of a member, or the nonce of a balancer, in memory that other processes may read.
// It holds no pointers and is 128 bytes long.
type Row struct {
	nonce     [36]byte // of a balancer; written before others may see it, or by an edit
	status    atomic.Uint32
	retries   atomic.Int32
	passes    atomic.Int32
	fails     atomic.Int32
	known     atomic.Uint32 // 1: it was written
	elected   atomic.Uint64
	load      atomic.Int64
	sent      atomic.Int64
	read      atomic.Int64
	errorTime atomic.Int64 // UnixNano; 0: none
	_         [32]byte
}

// Figures is what a row holds.
type Figures struct {
	State
	Conditions Status
	Nonce      string // of a balancer; "" for none
}

// Figures is the row now, and whether it was written.
func (r *Row) Figures() (f Figures, known bool) {
	f.Conditions = Status(r.status.Load())
	f.State = State{Elected: r.elected.Load(), Load: r.load.Load(), Sent: r.sent.Load(), Read: r.read.Load(),
		Retries: int(r.retries.Load()), Passes: int(r.passes.Load()), Fails: int(r.fails.Load())}
	if t := r.errorTime.Load(); t != 0 {
		f.ErrorTime = time.Unix(0, t)
	}
	if r.nonce[0] != 0 {
		f.Nonce = string(r.nonce[:])
	}
	return f, r.known.Load() == 1
}

// writeRow writes w into its row, if it has one. Under group.mu.
func (w *Worker) writeRow() {
	r := w.row
	if r == nil {
		return
	}
	r.status.Store(w.status.Load())
	r.retries.Store(int32(w.retries))
	r.passes.Store(int32(w.passes))
	r.fails.Store(int32(w.fails))
	r.elected.Store(w.elected)
	r.load.Store(w.lbstatus())
	r.sent.Store(w.sent.Load())
	r.read.Store(w.read.Load())
	t := int64(0)
	if !w.errorTime.IsZero() {
		t = w.errorTime.UnixNano()
	}
	r.errorTime.Store(t)
	r.known.Store(1)
}

// dropRow takes w's row away: the worker is no longer in the configuration.
func (w *Worker) dropRow() {
	w.group.mu.Lock()
	w.row = nil
	w.group.mu.Unlock()
}

func (b *Balancer) writeRow(r *Row) {
	copy(r.nonce[:], b.Settings().Nonce.V)
	r.known.Store(1)
}

// UseMemory has the farm write what its members are and count to m, beginning with the next Commit, whose balancers and
// members start with the state that p has. To be called once, before the first Plan.
func (f *Farm) UseMemory(m Memory, p Predecessor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.memory, f.predecessor = m, p
}

// allocateRows gives all workers and balancers rows of their own. Under mu.
func (f *Farm) allocateRows() {
	if f.memory == nil {
		return
	}
	r := f.current.Load()
	keys, workers := r.rows()
	f.memoryErr = f.memory.Rows(keys, func(rows []Row) {
		for i, w := range workers {
			w.group.mu.Lock()
			w.row = &rows[i]
			w.writeRow()
			w.group.mu.Unlock()
		}
		for i, p := range r.balancers {
			p.balancer.writeRow(&rows[len(workers)+i])
		}
	})
}

// rows are the keys of all workers, then those of all balancers.
func (r *Plan) rows() (keys []RowKey, workers []*Worker) {
	for _, g := range r.groups {
		for _, w := range g.group.list() {
			keys = append(keys, NewRowKey(w.vhost, g.name, w.Name()))
			workers = append(workers, w)
		}
	}
	for _, p := range r.workers {
		keys = append(keys, NewRowKey(p.worker.vhost, "", p.worker.Name()))
		workers = append(workers, p.worker)
	}
	for _, p := range r.balancers {
		keys = append(keys, NewRowKey(p.balancer.vhost, p.balancer.name, ""))
	}
	return keys, workers
}

// takeOver gives workers and balancers the state that the process before has left. Under mu.
func (f *Farm) takeOver() {
	before := f.predecessor
	f.predecessor = Predecessor{}
	if before.Rows == nil {
		return
	}
	r := f.current.Load()
	keys, workers := r.rows()
	for i, w := range workers {
		if s, known := before.Rows[keys[i]]; known {
			w.group.mu.Lock()
			w.restore(s.Conditions, &s.State)
			w.group.mu.Unlock()
		}
	}
	for i, p := range r.balancers {
		p.balancer.takeOverNonce(before.Rows[keys[len(workers)+i]].Nonce)
	}
}

// takeOverNonce gives b the nonce that it had in the process before, so that open pages can still edit.
func (b *Balancer) takeOverNonce(nonce string) {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	if s := *b.Settings(); nonce != "" && !s.Nonce.Set {
		s.Nonce.V = nonce
		b.settings.Store(&s)
	}
}

// edits is what was edited, by balancer. The members' states come from the rows.
func (p Predecessor) edits() map[balancerKey]*Record {
	all := make(map[balancerKey]*Record, len(p.Edits))
	for _, r := range p.Edits {
		all[r.key()] = &Record{Settings: r}
	}
	return all
}

// WriteRows writes all counters where they outlive the process. Without UseMemory it does nothing. The
// error is why they could not be; it is returned once.
func (f *Farm) WriteRows() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.memory == nil {
		return nil
	}
	r := f.current.Load()
	for _, g := range r.groups {
		writeRowsOf(g.group)
	}
	for _, p := range r.workers {
		writeRowsOf(p.worker.group)
	}
	err := f.memoryErr
	f.memoryErr = nil
	return err
}

// rowsPerLock is how many members are written under one lock: a pick waits for no more.
const rowsPerLock = 64

func writeRowsOf(g *group) {
	for list := g.list(); len(list) > 0; {
		n := min(rowsPerLock, len(list))
		g.mu.Lock()
		for _, w := range list[:n] {
			w.writeRow()
		}
		g.mu.Unlock()
		list = list[n:]
	}
}

// writeEdit writes a balancer that was just edited. Under mu.
func (f *Farm) writeEdit(b *Balancer) {
	b.edited = true
	if f.memory == nil {
		return
	}
	if !f.edits { // there is nothing that it could be added to
		f.writeEdits()
		return
	}
	if long, err := f.memory.Edit(b.settingsRecord()); long || err != nil { // what is behind a torn record is lost
		f.writeEdits()
	}
}

// writeEdits writes all balancers that were edited since they were configured. Under mu.
func (f *Farm) writeEdits() {
	if f.memory == nil {
		return
	}
	var list []SettingsRecord
	for _, p := range f.current.Load().balancers {
		if p.balancer.edited {
			list = append(list, p.balancer.settingsRecord())
		}
	}
	if len(list) == 0 && !f.edits {
		return
	}
	f.edits = len(list) > 0
	if err := f.memory.Edits(list); err != nil {
		f.memoryErr = err
	}
}
