package ssl

import (
	"balancerd/apacheconf/directive"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// resumer keeps sessions, or has the clients keep them.
type resumer interface {
	wrap(tls.ConnectionState, *tls.SessionState) ([]byte, error)
	unwrap(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error)
}

// newResumer is nil for hosts that resume nothing.
func newResumer(fsys directive.FileSystem, set *serverSettings, scope [sha256.Size]byte) (resumer, error) {
	switch {
	case set.tickets.Or(true):
		return newTickets(fsys, set, scope)
	case set.cached:
		return newSessions(time.Duration(set.timeout.Or(defaultLife)) * time.Second), nil
	}
	return nil, nil
}

// tickets resume the sessions of one virtual host and of no other: its tickets are made with keys of its
// own, and bear a mark besides, for hosts that share a key file.
type tickets struct {
	keys  *tls.Config // holds the keys, which it changes by itself unless they come from a file
	scope [sha256.Size]byte
	life  time.Duration
}

const (
	defaultLife  = 300 // seconds, as OpenSSL's sessions
	ticketKeyLen = 48
)

func newTickets(fsys directive.FileSystem, set *serverSettings, scope [sha256.Size]byte) (resumer, error) {
	t := &tickets{keys: &tls.Config{}, scope: scope, life: time.Duration(set.timeout.Or(defaultLife)) * time.Second}
	if file, ok := set.ticketKey.Get(); ok {
		b, err := fsys.ReadFile(file)
		if err != nil {
			return nil, errors.New("AH02286: Failed to open ticket key file " + file)
		}
		if len(b) < ticketKeyLen {
			return nil, errors.New("AH02287: Failed to read 48 bytes from " + file)
		}
		t.keys.SetSessionTicketKeys([][32]byte{sha256.Sum256(b[:ticketKeyLen])})
	}
	return t, nil
}

func (t *tickets) wrap(cs tls.ConnectionState, s *tls.SessionState) ([]byte, error) {
	stamp := binary.BigEndian.AppendUint64(slices.Clone(t.scope[:]), uint64(time.Now().Unix()))
	s.Extra = append(s.Extra, stamp)
	return t.keys.EncryptTicket(cs, s)
}

// unwrap gives nothing for a ticket of another host, an old one, or one that can't be read: the
// handshake then is a full one.
func (t *tickets) unwrap(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
	s, err := t.keys.DecryptTicket(identity, cs)
	if err != nil || s == nil {
		return nil, nil
	}
	for i, e := range s.Extra {
		if len(e) != len(t.scope)+8 || [sha256.Size]byte(e[:len(t.scope)]) != t.scope {
			continue
		}
		age := time.Since(time.Unix(int64(binary.BigEndian.Uint64(e[len(t.scope):])), 0))
		if age < 0 || age > t.life {
			return nil, nil
		}
		s.Extra = slices.Delete(s.Extra, i, i+1) // a new ticket of the session gets its own stamp
		return s, nil
	}
	return nil, nil
}
