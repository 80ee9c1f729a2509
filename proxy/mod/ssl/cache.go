package ssl

import (
	"container/list"
	"crypto/rand"
	"crypto/tls"
	"sync"
	"time"
)

// sessions keep what tickets would carry, for hosts that have a session cache and no tickets: a client
// then holds nothing but a number (httpd: ssl_scache.c). The one that was used longest ago makes room.
type sessions struct {
	life time.Duration // immutable

	mu    sync.Mutex
	by    map[string]*list.Element // under mu
	order *list.List               // under mu; of *session, the newest in front
}

// session is one that may be resumed. Immutable.
type session struct {
	id    string
	state []byte
	until time.Time
}

// maxSessions is how many a virtual host keeps.
const maxSessions = 20_000

func newSessions(life time.Duration) *sessions {
	return &sessions{life: life, by: map[string]*list.Element{}, order: list.New()}
}

// wrap keeps a session and gives its number away.
func (c *sessions) wrap(_ tls.ConnectionState, s *tls.SessionState) ([]byte, error) {
	state, err := s.Bytes()
	if err != nil {
		return nil, err
	}
	id := make([]byte, 32)
	rand.Read(id) // never fails
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by[string(id)] = c.order.PushFront(&session{string(id), state, time.Now().Add(c.life)})
	for c.order.Len() > maxSessions {
		c.drop(c.order.Back())
	}
	return id, nil
}

// unwrap gives nothing for a number that nobody knows, or no longer: the handshake then is a full one.
func (c *sessions) unwrap(id []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
	c.mu.Lock()
	e := c.by[string(id)]
	var found *session
	if e != nil {
		if found = e.Value.(*session); time.Now().After(found.until) {
			c.drop(e)
			found = nil
		}
	}
	c.mu.Unlock()
	if found == nil {
		return nil, nil
	}
	s, err := tls.ParseSessionState(found.state)
	if err != nil {
		return nil, nil
	}
	return s, nil
}

func (c *sessions) drop(e *list.Element) {
	delete(c.by, e.Value.(*session).id)
	c.order.Remove(e)
}
