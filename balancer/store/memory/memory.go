package memory

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"unsafe"

	"balancerd/balancer"
)

// Kind is what a file holds.
type Kind string

// The kinds of file.
const (
	Table Kind = "table"
	Edits Kind = "edits"
)

// Store is a balancer.Memory in files without a name. Its methods are not to be called at the same time.
type Store struct {
	keep   func(Kind, *os.File) error
	mapped []byte // the table in force; nil before the first
	edits  *edits // nil before the first
}

// edits is a file of records: a list, then single ones, of which the last of a balancer counts.
type edits struct {
	f           *os.File
	b           bytes.Buffer // what the encoder just wrote
	encoder     *gob.Encoder
	size, first int64 // of the file, and of the list
}

var _ balancer.Memory = (*Store)(nil)

// New is a store that hands its files to keep, which must hold on to a descriptor of its own until it
// gets the next of that kind: this one is closed at some time after keep returned.
func New(keep func(Kind, *os.File) error) *Store { return &Store{keep: keep} }

const (
	magic   = "balrows1"
	keySize = int(unsafe.Sizeof(balancer.RowKey{}))
	rowSize = int(unsafe.Sizeof(balancer.Row{}))
	header  = len(magic) + 8
)

// rowsAt is where n rows begin: behind the keys, at a multiple of their size.
func rowsAt(n int) int { return (header + n*keySize + rowSize - 1) / rowSize * rowSize }

// Rows makes a table. See balancer.Memory.
func (s *Store) Rows(keys []balancer.RowKey, fill func([]balancer.Row)) error {
	f, err := Unnamed("balancerd-rows")
	if err != nil {
		return err
	}
	defer f.Close()
	at := rowsAt(len(keys))
	size := at + len(keys)*rowSize
	if err := f.Truncate(int64(size)); err != nil {
		return err
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	copy(m, magic)
	binary.LittleEndian.PutUint64(m[len(magic):], uint64(len(keys)))
	for i, k := range keys {
		copy(m[header+i*keySize:], k[:])
	}
	fill(rows(m, len(keys)))
	old := s.mapped
	s.mapped = m
	if old != nil {
		syscall.Munmap(old)
	}
	return s.keep(Table, f)
}

// rows is the rows of a mapped table.
func rows(m []byte, n int) []balancer.Row {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*balancer.Row)(unsafe.Pointer(&m[rowsAt(n)])), n)
}

// Edits keeps records. See balancer.Memory.
func (s *Store) Edits(list []balancer.SettingsRecord) error {
	f, err := Unnamed("balancerd-edits")
	if err != nil {
		return err
	}
	e := &edits{f: f}
	e.encoder = gob.NewEncoder(&e.b)
	if err := e.write(list); err != nil {
		return errors.Join(err, f.Close())
	}
	e.first = e.size
	if s.edits != nil {
		s.edits.f.Close()
	}
	s.edits = e
	return s.keep(Edits, f)
}

// slack is how many bytes of single records a file may have besides as many as the list has.
const slack = 1 << 20

// Edit keeps one more record. See balancer.Memory.
func (s *Store) Edit(r balancer.SettingsRecord) (long bool, err error) {
	e := s.edits
	if e == nil {
		return true, nil
	}
	err = e.write(r)
	return e.size > 2*e.first+slack, err
}

// write encodes what is a list or a record and writes it behind the end, at once: a process that dies leaves
// it whole or, at worst, cut.
func (e *edits) write(what any) error {
	e.b.Reset()
	if err := e.encoder.Encode(what); err != nil {
		return err
	}
	n, err := e.f.WriteAt(e.b.Bytes(), e.size)
	e.size += int64(n)
	return err
}

// ErrDamaged is a file that no Store has written.
var ErrDamaged = errors.New("the state of the process before can't be read")

// Load reads what a process before has left: the files that its Store handed over, nil for none. What can
// be read of one is returned whatever is wrong with the other.
func Load(table, edits *os.File) (balancer.Predecessor, error) {
	var b balancer.Predecessor
	var err1, err2 error
	if table != nil {
		b.Rows, err1 = loadTable(table)
	}
	if edits != nil {
		b.Edits, err2 = loadEdits(edits)
	}
	return b, errors.Join(err1, err2)
}

func loadTable(f *os.File) (map[balancer.RowKey]balancer.Figures, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := int(st.Size())
	if size < header {
		return nil, fmt.Errorf("%w: %d bytes", ErrDamaged, size)
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	defer syscall.Munmap(m)
	n := binary.LittleEndian.Uint64(m[len(magic):])
	if string(m[:len(magic)]) != magic || n > uint64(size/rowSize) || rowsAt(int(n))+int(n)*rowSize != size {
		return nil, fmt.Errorf("%w: %q", ErrDamaged, m[:header])
	}
	out := make(map[balancer.RowKey]balancer.Figures, n)
	list := rows(m, int(n))
	for i := range list {
		if figures, known := list[i].Figures(); known {
			out[balancer.RowKey(m[header+i*keySize:][:keySize])] = figures
		}
	}
	return out, nil
}

// loadEdits reads a file of edits, up to a record that is cut: the edit during which the process died was not
// answered.
func loadEdits(f *os.File) (list []balancer.SettingsRecord, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	d := gob.NewDecoder(bufio.NewReader(f))
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	at := make(map[[2]string]int, len(list))
	for i := range list {
		at[[2]string{list[i].VHost, list[i].Balancer}] = i
	}
	for {
		var r balancer.SettingsRecord
		if err := d.Decode(&r); err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			return list, nil
		} else if err != nil {
			return list, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		key := [2]string{r.VHost, r.Balancer}
		if i, has := at[key]; has {
			list[i] = r
		} else {
			at[key] = len(list)
			list = append(list, r)
		}
	}
}
