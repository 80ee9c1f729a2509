package balancer

import (
	"crypto/subtle"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// Prefix begins the name of every balancer.
const Prefix = "balancer://"

// Balancer spreads requests over its members. In a virtual host that inherits it from the main
// server it has settings, nonce and method of its own, but the same members. It lives on over
// reloads as long as its virtual host has it.
type Balancer struct {
	// Immutable.
	vhost string
	name  string // "balancer://x", lower case
	group *group

	// Under group.mu; settings and method may be read without.
	settings atomic.Pointer[BalancerSettings]
	method   atomic.Pointer[Method]
	changed  bool // the next Sync looks at stale
	stale    bool // a member was enabled or the method changed: figures must be reset
	lastEdit lastEdit

	edited bool // since it was configured; under Farm.mu

	// Atomic, replaced by Commit.
	spec  atomic.Pointer[configured]
	slots atomic.Pointer[slots]
}

// slots is how many members a balancer may have at most, how many of these places the page shows as
// used, and how many are taken besides by members restored from the store. Immutable.
type slots struct{ max, used, restored int }

// group is the members that balancers of one name share, with the lock of their elections.
type group struct {
	mu      sync.Mutex
	members atomic.Pointer[[]*Worker] // each list is immutable; replaced under mu

	// Under mu: the lists that a search for candidates fills, kept so that it allocates nothing.
	pick             Pick
	spares, standbys []*Worker
	round            uint64 // number of the search for a route
	index            *index
	byRoute          map[string][]*Worker // see withRoute; nil: to be made
}

func (g *group) list() []*Worker {
	if l := g.members.Load(); l != nil {
		return *l
	}
	return nil
}

// setList replaces the members. Under g.mu.
func (g *group) setList(l []*Worker) {
	g.change()
	g.index, g.byRoute = nil, nil
	g.members.Store(&l)
}

// Name is "balancer://x", in lower case.
func (b *Balancer) Name() string { return b.name }

// VHost is the virtual host that has it.
func (b *Balancer) VHost() string { return b.vhost }

// SlotID is its name in shared memory, which the manager shows in brackets: "p59bfe437_app".
func (b *Balancer) SlotID() string { return b.vhost + "_" + alnum(b.name[len(Prefix):]) }

// Settings is its parameters now. Not to be written to.
func (b *Balancer) Settings() *BalancerSettings { return b.settings.Load() }

// Env is what its parameters may name.
func (b *Balancer) Env() Env { return b.spec.Load().Env }

// Path is the front end's path, with "host -> " in front if the ProxyPass named one; "/" when only
// <Proxy> defines the balancer.
func (b *Balancer) Path() string { return b.spec.Load().Path }

// Persistent reports whether its state is kept (BalancerPersist).
func (b *Balancer) Persistent() bool { return b.spec.Load().Persist }

// Members is its members in the order of elections. Not to be written to.
func (b *Balancer) Members() []*Worker { return b.group.list() }

// Attempts is the number of further members that one request may try.
func (b *Balancer) Attempts() int {
	if m := b.Settings().MaxAttempts; m.Set {
		return m.V
	}
	return 0
}

// MaxMembers is the number of configured members plus growth=, and how many of these places are
// used, as the manager shows them: "MaxMembers N [K Used]". Members that the manager added before a
// restart, and that the store brought back, do not count as used there, as in httpd.
func (b *Balancer) MaxMembers() (most, used int) {
	s := b.slots.Load()
	return s.max, s.used
}

// HasFreeSlot reports whether another member can be added.
func (b *Balancer) HasFreeSlot() bool {
	s := b.slots.Load()
	return s.used+s.restored < s.max
}

// Revision is the number of the balancer's settings: it grows with each edit, whoever made it, also
// over reloads and, where BalancerPersist is On, over restarts. 0: never edited.
func (b *Balancer) Revision() uint64 {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	return b.lastEdit.revision
}

// Accepts reports whether nonce authorises an edit. With nonce=None none does.
func (b *Balancer) Accepts(nonce string) bool {
	own := b.Settings().Nonce.V
	return own != "" && subtle.ConstantTimeCompare([]byte(own), []byte(nonce)) == 1
}

// Member finds the member whose name is the longest that covers url; nil for none.
func (b *Balancer) Member(url string) *Worker { return Longest(b.Members(), url) }

// Snapshots is all members of one moment, in order.
func (b *Balancer) Snapshots() []Snapshot {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	list := b.group.list()
	all := make([]Snapshot, len(list))
	for i, w := range list {
		all[i] = w.snapshot()
	}
	return all
}

// Sync resets the members' figures if the method changed since the last pick or view: httpd does it
// at the next of these, not at the change (httpd: proxy_util.c ap_proxy_sync_balancer).
func (b *Balancer) Sync() {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	b.sync()
}

// sync is Sync under group.mu.
func (b *Balancer) sync() {
	if !b.changed {
		return
	}
	b.changed = false
	if m := b.method.Load(); b.stale && m != nil && m.Reset != nil {
		b.group.change()
		m.Reset(b.group.list())
	}
	b.stale = false
}

// ParseName is the balancer that a URL of the configuration names: "balancer://x", in lower case and
// without its path. The error's text is httpd's, without the name of the directive (httpd:
// proxy_util.c ap_proxy_define_balancer).
func ParseName(url string) (string, error) {
	i := strings.IndexByte(url, ':')
	if i < 0 || len(url) <= i+3 || url[i+1:i+3] != "//" {
		return "", fmt.Errorf("Bad syntax for a balancer name (%s)", url)
	}
	if end := strings.IndexByte(url[i+3:], '/'); end >= 0 {
		url = url[:i+3+end]
	}
	if url = lower(url); len(url) > longestName {
		return "", fmt.Errorf("balancer name (%s) too long", url)
	}
	return url, nil
}

const longestName = 95 // bytes, with prefix

// CanonicalName is the name of the balancer that a URL or a bare name means: in lower case, without
// a path, with the prefix (httpd: proxy_util.c ap_proxy_get_balancer).
func CanonicalName(text string) string { return Prefix + lower(bareName(text)) }

// bareName is text without prefix and path.
func bareName(text string) string {
	if len(text) >= len(Prefix) && strings.EqualFold(text[:len(Prefix)], Prefix) {
		text = text[len(Prefix):]
	}
	text, _, _ = strings.Cut(text, "/")
	return text
}

// alnum is s with an underscore in place of each printable byte that is no letter or digit, and an x in place of
// the others (httpd: util.c ap_str2_alnum).
func alnum(s string) string {
	b := []byte(s)
	for i, c := range b {
		switch {
		case c < ' ' || c > '~':
			b[i] = 'x'
		case !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'):
			b[i] = '_'
		}
	}
	return string(b)
}
