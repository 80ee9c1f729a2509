package rewrite

import (
	"bufio"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/filestamp"
)

// textFile is a txt: or rnd: map. What was read of it is kept until the file changes.
type textFile struct {
	path string

	last  atomic.Pointer[mapReading] // nil: it has not been read yet
	busy  sync.Mutex                 // held by who reads
	asked asked
}

// mapReading is all that a file of usual size said. Immutable.
type mapReading struct {
	values map[string]string
	stamp  filestamp.Stamp
	began  time.Time
	took   time.Duration
}

const (
	wholeMost   = 16 << 20 // bytes of a map file that is kept; of a larger one each key is looked for anew
	quickMap    = 64 << 10 // bytes of one that is read with each request while its stamp may hide a change
	longestLine = 1024     // bytes; what is longer is two lines (httpd: REWRITE_MAX_TXT_MAP_LINE)
)

func (t *textFile) find(p *pass, m *rewriteMap, key string) (string, bool) {
	fi, err := os.Stat(t.path)
	if err != nil {
		p.x.Log("rewrite", exchange.Error, err, "AH00661: mod_rewrite: can't access text RewriteMap file "+t.path)
		return "", false
	}
	now := filestamp.Of(fi)
	again := p.traced && t.asked.again(key, now)
	if p.traced && !again {
		p.trace(6, "cache lookup FAILED, forcing new map lookup")
	}
	value, err := t.value(p.x, key, now)
	if err != nil {
		p.x.Log("rewrite", exchange.Error, err, "AH00655: mod_rewrite: can't open text RewriteMap file "+t.path)
	}
	if again {
		p.told("cache", m, key, value, true)
	} else {
		p.told("map", m, key, value, value != "")
	}
	return value, value != ""
}

// value is a key's, of the file as it is now; "" for none.
func (t *textFile) value(x *exchange.Exchange, key string, now filestamp.Stamp) (string, error) {
	if now.Size > wholeMost {
		x.Block()
		return scan(t.path, func(k, _ string) bool { return k == key })
	}
	r := t.last.Load()
	if !r.upToDate(now) {
		x.Block()
		var err error
		if r, err = t.read(now); err != nil {
			return "", err
		}
	}
	return r.values[key], nil
}

// upToDate reports whether the file, as it is now, need not be read again. One that changed within the same tick of the
// file system's clock as it was read may hold something else and look the same: if it is large, a tenth of the time
// goes into reading it until that has passed.
func (r *mapReading) upToDate(now filestamp.Stamp) bool {
	if r == nil || r.stamp != now {
		return false
	}
	return !now.MayHide(r.began) || now.Size > quickMap && time.Since(r.began) < 10*r.took
}

// read reads the file unless another has just done so.
func (t *textFile) read(now filestamp.Stamp) (*mapReading, error) {
	t.busy.Lock()
	defer t.busy.Unlock()
	if r := t.last.Load(); r.upToDate(now) {
		return r, nil
	}
	r := &mapReading{values: map[string]string{}, stamp: now, began: time.Now()}
	_, err := scan(t.path, func(k, v string) bool {
		if _, known := r.values[k]; !known {
			r.values[strings.Clone(k)] = strings.Clone(v)
		}
		return false
	})
	if err != nil {
		return nil, err
	}
	r.took = time.Since(r.began)
	t.last.Store(r)
	return r, nil
}

// scan reads the file's lines, "key value …", up to the first that is wanted, and is its value. Lines that begin with # or a
// blank, and those without a value, do not count (httpd: mod_rewrite.c lookup_map_txtfile).
func scan(path string, wanted func(key, value string) bool) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, longestLine)
	for {
		line, err := r.ReadSlice('\n')
		if key, value := entry(string(line)); value != "" && wanted(key, value) {
			return value, nil
		}
		switch err {
		case nil, bufio.ErrBufferFull:
		case io.EOF:
			return "", nil
		default:
			return "", err
		}
	}
}

// entry is a line's key and value; "" for a value that is not there.
func entry(line string) (key, value string) {
	if line == "" || line[0] == '#' || isBlank(line[0]) {
		return "", ""
	}
	end := strings.IndexAny(line, blanks)
	if end < 0 {
		return "", ""
	}
	key, value = line[:end], strings.TrimLeft(line[end:], blanks)
	if end = strings.IndexAny(value, blanks); end >= 0 {
		value = value[:end]
	}
	return key, value
}

// asked remembers which keys traces were written of: httpd keeps values by key, and says whether it had one.
type asked struct {
	mu    sync.Mutex
	stamp filestamp.Stamp
	keys  map[string]bool
}

// mostAsked bounds what is remembered.
const mostAsked = 4096

func (a *asked) again(key string, now filestamp.Stamp) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keys == nil || a.stamp != now || len(a.keys) >= mostAsked {
		a.keys, a.stamp = map[string]bool{}, now
	}
	if a.keys[key] {
		return true
	}
	a.keys[strings.Clone(key)] = true
	return false
}
