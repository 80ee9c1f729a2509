package slotmem

import (
	"context"
	"sync/atomic"

	"balancerd/balancer"
	"balancerd/balancer/store/file"
)

// Store is a balancer.Store in the folder of the configuration in force. Without a folder nothing is kept.
type Store struct {
	next   string // the folder of the site that is built next; owned by the goroutine that loads
	folder atomic.Pointer[file.Store]
}

var _ balancer.Store = (*Store)(nil)

// Folder says where the site that is built next keeps its records, absolute; "": nowhere.
func (s *Store) Folder(path string) { s.next = path }

// Load reads the records, if there is a folder.
func (s *Store) Load(ctx context.Context) ([]balancer.Record, error) {
	if f := s.folder.Load(); f != nil {
		return f.Load(ctx)
	}
	return nil, nil
}

// SaveSettings writes records, if there is a folder. The folder belongs to the user of this process.
func (s *Store) SaveSettings(ctx context.Context, list []balancer.SettingsRecord) error {
	if f := s.folder.Load(); f != nil {
		return f.SaveSettings(ctx, list)
	}
	return nil
}

// SaveStates writes records, if there is a folder.
func (s *Store) SaveStates(ctx context.Context, list []balancer.StateRecord) error {
	if f := s.folder.Load(); f != nil {
		return f.SaveStates(ctx, list)
	}
	return nil
}
