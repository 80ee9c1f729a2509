package rewrite

import (
	"bufio"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"balancerd/proxy/exchange"
)

// textFile is a txt: or rnd: map. What was read of it is kept until the file changes.
type textFile struct {
	path string

	mu     sync.Mutex
	stamp  stamp
	values map[string]string // under mu: of a file of usual size, all; replaced, never changed
	asked  asked
}

const (
	wholeMost   = 16 << 20 // bytes of a map file that is kept; of a larger one each key is looked for anew
	longestLine = 1024     // bytes; what is longer is two lines (httpd: REWRITE_MAX_TXT_MAP_LINE)
)

// stamp is what changes when a file does.
type stamp struct {
	size, mtime, ctime int64
	inode              uint64
}

func stampOf(fi fs.FileInfo) stamp {
	s := stamp{size: fi.Size(), mtime: fi.ModTime().UnixNano()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		s.inode, s.ctime = st.Ino, changeTime(st)
	}
	return s
}

func (t *textFile) find(p *pass, m *rewriteMap, key string) (string, bool) {
	fi, err := os.Stat(t.path)
	if err != nil {
		p.x.Log("rewrite", exchange.Error, err, "AH00661: mod_rewrite: can't access text RewriteMap file "+t.path)
		return "", false
	}
	now := stampOf(fi)
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
func (t *textFile) value(x *exchange.Exchange, key string, now stamp) (string, error) {
	if now.size > wholeMost {
		x.Block()
		return scan(t.path, func(k, _ string) bool { return k == key })
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.values == nil || t.stamp != now {
		x.Block()
		values := map[string]string{}
		_, err := scan(t.path, func(k, v string) bool {
			if _, known := values[k]; !known {
				values[strings.Clone(k)] = strings.Clone(v)
			}
			return false
		})
		if err != nil {
			return "", err
		}
		t.values, t.stamp = values, now
	}
	return t.values[key], nil
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
	stamp stamp
	keys  map[string]bool
}

// mostAsked bounds what is remembered.
const mostAsked = 4096

func (a *asked) again(key string, now stamp) bool {
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
