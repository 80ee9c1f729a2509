package cache

import (
	"crypto/rand"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"balancerd/apacheconf/directive"
	kept "balancerd/proxy/cache"
	"balancerd/proxy/exchange"
	"balancerd/proxy/site"
)

// Stores are the kept answers of a process: a reload finds those of the load before. The zero value is ready.
type Stores struct {
	mu   sync.Mutex
	open map[string]*handle
	main atomic.Pointer[exchange.Server] // of the load in force: whose log is told of folders that cannot be written
}

// handle is a Store that is opened when the configuration that asks for it comes into force.
type handle struct {
	kept   atomic.Pointer[kept.Store]
	root   string // "" for memory
	limits kept.Limits
}

// store is nil while there is none: its folder cannot be used.
func (h *handle) store() *kept.Store {
	if h == nil {
		return nil
	}
	return h.kept.Load()
}

// Bounds of what is kept, see README.
const (
	diskBytes   = 1 << 30
	diskEntries = 100_000
	diskHeads   = 64 << 20
	socacheSize = 512_000 // httpd: mod_socache_shmcb.c DEFAULT_SHMCB_SIZE
)

// sizeName is the name whose Define says how many bytes a CacheRoot may hold.
const sizeName = "BALANCERD_CACHE_SIZE"

// loaded is one load's view.
type loaded struct {
	stores        *Stores
	site          *site.Site
	boundary      string
	disk, socache bool
	size          int64
	handles       map[string]*handle
}

func (s *Stores) load(c *directive.Config, st *site.Site) (site.Builder, error) {
	if !c.Loaded("mod_cache.c") {
		return nil, nil
	}
	l := &loaded{stores: s, site: st, boundary: rand.Text()[:16], disk: c.Loaded("mod_cache_disk.c"), socache: c.Loaded("mod_cache_socache.c"), size: diskBytes, handles: map[string]*handle{}}
	for _, d := range c.Tree.Defines {
		if n, err := sizeOf(d.Value); d.Name == sizeName {
			if err != nil {
				return nil, errorOf("Define " + sizeName + ": '" + d.Value + "' is no number of bytes")
			}
			l.size = n
		}
	}
	for _, h := range st.Hosts {
		srv := servers.Merged(c.Main, h.Scope)
		l.storesOf(&srv)
	}
	st.OnCommit(l.begin)
	return l.build, nil
}

type errorOf string

func (e errorOf) Error() string { return string(e) }

// storesOf are the stores of a server, by type.
func (l *loaded) storesOf(c *serverSettings) map[string]*handle {
	out := map[string]*handle{}
	if root, ok := c.root.Get(); ok && l.disk {
		root = filepath.Clean(root)
		out["disk"] = l.handle("disk:"+root, root, kept.Limits{Bytes: l.size, Entries: diskEntries, Heads: diskHeads})
	} else if l.disk {
		out["disk"] = nil
	}
	if args, ok := c.socache.Get(); ok && l.socache {
		size := socacheBytes(args)
		out["socache"] = l.handle("socache:"+args, "", kept.Limits{Bytes: size, Entries: diskEntries, Heads: size})
	} else if l.socache {
		out["socache"] = nil
	}
	return out
}

// handle is the handle of a name; another load's is taken over when this one comes into force.
func (l *loaded) handle(name, root string, limits kept.Limits) *handle {
	h := l.handles[name]
	if h == nil {
		h = &handle{root: root, limits: limits}
		l.handles[name] = h
	}
	return h
}

// begin opens the stores that are asked for, and lets those go that nobody wants any more.
func (l *loaded) begin() {
	s := l.stores
	s.mu.Lock()
	defer s.mu.Unlock()
	s.main.Store(l.site.Hosts[0].Server)
	for name, h := range l.handles {
		switch before := s.open[name].store(); {
		case before != nil:
			before.Limit(h.limits)
			h.kept.Store(before)
		case h.root == "":
			h.kept.Store(kept.NewMemory(h.limits))
		default:
			report := s.report(h.root)
			if store, err := kept.OpenFolder(h.root, h.limits, report); err != nil {
				report(err)
			} else {
				h.kept.Store(store)
			}
		}
	}
	s.open = l.handles
}

// report tells the log of the load in force that a folder cannot be used. It outlives the load that opens the folder, and
// holds nothing of it.
func (s *Stores) report(root string) func(error) {
	return func(err error) {
		if main := s.main.Load(); main.ErrorLog != nil {
			main.ErrorLog.Write(&exchange.LogEntry{Time: time.Now(), Module: "cache_disk", Level: exchange.Error, Errno: exchange.ErrnoText(err), Message: "cache folder " + root + " cannot be written: answers are not kept", Server: main})
		}
	}
}

// socacheBytes is the size in "path(size)" (httpd: mod_socache_shmcb.c socache_shmcb_create).
func socacheBytes(args string) int64 {
	_, size, ok := strings.Cut(args, "(")
	if n, err := strconv.ParseInt(strings.TrimSuffix(size, ")"), 10, 64); ok && err == nil && n > 0 {
		return n
	}
	return socacheSize
}
