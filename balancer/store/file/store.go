package file

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"

	"balancerd/balancer"
)

// Store is a directory with two journals. It may be used by several goroutines, but by one process at a
// time.
type Store struct {
	dir              string // immutable
	settings, states journal

	beginning sync.Mutex
	begun     bool // under beginning: the journals are this process's own
}

var _ balancer.Store = (*Store)(nil)

// New is the store in dir, which the first save makes when it is missing.
func New(dir string) *Store {
	s := &Store{dir: dir}
	s.settings.name, s.settings.head = "settings.json", settingsHead
	s.states.name, s.states.head = "states.json", statesHead
	return s
}

// The ends of files' names.
const (
	half    = ".tmp" // being written, or left by a crash
	damaged = ".bad" // set aside
)

// Load reads all records. It changes nothing. What cannot be read is said in the error, line by
// line, and does not keep the rest from being read; a directory that is missing holds nothing.
func (s *Store) Load(ctx context.Context) ([]balancer.Record, error) {
	d, err := os.OpenRoot(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	k, err := s.read(d)
	return k.records(), errors.Join(err, ctx.Err())
}

// kept is what a directory holds, by balancer.
type kept struct {
	order    []string // of the first settings of each
	settings map[string]balancer.SettingsRecord
	states   map[string]balancer.StateRecord
	old      old
	damaged  []string // journals with lines that can't be read
}

func keyOf(vhost, balancer string) string { return vhost + "\x00" + balancer }

// read reads the journals, and of files of earlier versions what these do not have.
func (s *Store) read(d *os.Root) (*kept, error) {
	k := &kept{settings: map[string]balancer.SettingsRecord{}, states: map[string]balancer.StateRecord{}}
	err1 := k.scan(&s.settings, d, func(text []byte) error {
		r, err := decodeSettingsLine(text)
		if err == nil {
			k.putSettings(r)
		}
		return err
	})
	err2 := k.scan(&s.states, d, func(text []byte) error {
		r, err := decodeStateLine(text)
		if err == nil {
			k.states[keyOf(r.VHost, r.Balancer)] = r
		}
		return err
	})
	var err3 error
	k.old, err3 = readOld(d)
	for _, r := range k.old.records {
		k.putOld(r)
	}
	return k, errors.Join(append(k.old.errs, err1, err2, err3)...)
}

// scan reads a journal, if there is one.
func (k *kept) scan(j *journal, d *os.Root, take func(text []byte) error) error {
	err := j.scan(d, take)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		k.damaged = append(k.damaged, j.name)
	}
	return err
}

func (k *kept) putSettings(r balancer.SettingsRecord) {
	key := keyOf(r.VHost, r.Balancer)
	if _, has := k.settings[key]; !has {
		k.order = append(k.order, key)
	}
	k.settings[key] = r
}

// putOld takes what the journals do not have.
func (k *kept) putOld(r balancer.Record) {
	key := keyOf(r.Settings.VHost, r.Settings.Balancer)
	if _, has := k.settings[key]; !has {
		k.putSettings(r.Settings)
	}
	if _, has := k.states[key]; !has && r.State != nil {
		k.states[key] = *r.State
	}
}

func (k *kept) records() (all []balancer.Record) {
	for _, key := range k.order {
		r := balancer.Record{Settings: k.settings[key]}
		if state, has := k.states[key]; has {
			r.State = &state
		}
		all = append(all, r)
	}
	return all
}

// SaveSettings writes these in place of the settings that the store has of the same balancers. It returns nil
// when they would survive a power cut; on an error the old ones are as they were.
func (s *Store) SaveSettings(_ context.Context, list []balancer.SettingsRecord) error {
	b, err := linesOf(list, encodeSettings, settingsKey)
	if err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	return s.settings.add(b, s.open)
}

// SaveStates writes these in place of the states that the store has of their balancers, all or none.
func (s *Store) SaveStates(_ context.Context, list []balancer.StateRecord) error {
	b, err := linesOf(list, encodeState, stateKey)
	if err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	return s.states.add(b, s.open)
}

func settingsKey(r balancer.SettingsRecord) string { return keyOf(r.VHost, r.Balancer) }

func stateKey(r balancer.StateRecord) string { return keyOf(r.VHost, r.Balancer) }

// linesOf is the lines of records.
func linesOf[R any](list []R, encode func(R) ([]byte, error), key func(R) string) (lines, error) {
	all := make(lines, 0, len(list))
	for _, r := range list {
		text, err := encode(r)
		if err != nil {
			return nil, err
		}
		all = append(all, line{key(r), text})
	}
	return all, nil
}

// begin makes journals of this process's own before the first save: of what the directory holds, whatever version
// wrote it. A journal with damaged lines is kept beside the new one, with ".bad" at its end, and so is a
// damaged file of an earlier version; its whole files are in the journals then and go.
func (s *Store) begin() error {
	s.beginning.Lock()
	defer s.beginning.Unlock()
	if s.begun {
		return nil
	}
	d, err := s.open()
	if err != nil {
		return err
	}
	defer d.Close()
	if err := s.takeOver(d); err != nil {
		return err
	}
	s.begun = true
	return nil
}

func (s *Store) takeOver(d *os.Root) error {
	k, _ := s.read(d) // Load said what is wrong
	settings, err1 := linesOf(slices.Collect(maps.Values(k.settings)), encodeSettings, settingsKey)
	states, err2 := linesOf(slices.Collect(maps.Values(k.states)), encodeState, stateKey)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for _, name := range k.damaged {
		if err := setAside(d, name); err != nil {
			return err
		}
	}
	if err := errors.Join(s.settings.rewrite(d, settings), s.states.rewrite(d, states)); err != nil {
		return err
	}
	return k.old.putAway(d)
}

// open is the directory, made if it is missing.
func (s *Store) open() (*os.Root, error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenRoot(s.dir)
}

// setAside gives a file a second name, under which it stays when the first one goes to another.
func setAside(d *os.Root, file string) error {
	if err := remove(d, file+damaged); err != nil {
		return err
	}
	return d.Link(file, file+damaged)
}
