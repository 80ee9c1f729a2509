package balancer

import "context"

// Store keeps records.
type Store interface {
	// Load is all records that are whole; the error, which may join several, is about the others.
	Load(ctx context.Context) ([]Record, error)
	// Save keeps r in place of an earlier record of the same VHost and Balancer. When it returns nil
	// the record outlives a crash. Other edits wait meanwhile; requests do not.
	Save(ctx context.Context, r Record) error
}

// Watcher is a Store that others write to as well.
type Watcher interface {
	// Watch calls changed for each record that another node saves, until ctx ends.
	Watch(ctx context.Context, changed func(Record)) error
}
