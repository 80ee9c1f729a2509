package frames

// Inlet is what has come of a body and was not read.
type Inlet struct {
	data  []byte
	r     int    // of data, what was read
	store *Chunk // data's memory, while that is enough
}

// Held is what is here.
func (n *Inlet) Held() []byte { return n.data[n.r:] }

// Unread is how much that is.
func (n *Inlet) Unread() int { return len(n.data) - n.r }

// Keep takes in bytes. Who has seen earlier ones by Held may still be looking at them: they stay where they are.
func (n *Inlet) Keep(p []byte) {
	switch {
	case n.data == nil && n.store == nil && len(p) <= len(Chunk{}.B):
		n.store = GetChunk()
		n.data = n.store.B[:0]
	case len(n.data)+len(p) > cap(n.data):
		n.data, n.r = append(make([]byte, 0, max(2*(n.Unread()+len(p)), len(Chunk{}.B))), n.Held()...), 0
	}
	n.data = append(n.data, p...)
}

// Discard takes k bytes as read.
func (n *Inlet) Discard(k int) {
	if n.r += k; n.r == len(n.data) {
		n.data, n.r = n.data[:0], 0
	}
}

// Drop forgets what is here.
func (n *Inlet) Drop() { n.data, n.r = nil, 0 }

// Give gives the memory back.
func (n *Inlet) Give() { n.store.Give() }
