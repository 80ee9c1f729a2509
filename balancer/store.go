package balancer

import "context"

// Store keeps records. SaveSettings and SaveStates may be called at the same time, but each by one at a time.
type Store interface {
	// Load is all records whose settings are whole; the error, which may join several, is about what
	// is not. A state without settings is nothing.
	Load(ctx context.Context) ([]Record, error)
	// SaveSettings keeps each of these in place of the earlier settings of the same VHost and Balancer, and
	// leaves all states alone. When it returns nil they outlive a crash. An edit waits for it.
	SaveSettings(ctx context.Context, list []SettingsRecord) error
	// SaveStates keeps each of these in place of the earlier state of its balancer, and leaves all
	// settings alone. When it returns nil they outlive a crash; on an error some of them may. Only
	// Farm.Save waits for it.
	SaveStates(ctx context.Context, list []StateRecord) error
}

// Watcher is a Store that others write to as well.
type Watcher interface {
	// Watch calls changed for each settings record that another node saves, until ctx ends.
	Watch(ctx context.Context, changed func(SettingsRecord)) error
}
