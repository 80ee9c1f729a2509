package compress

import (
	"io"
	"sync"
	"sync/atomic"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"

	"balancerd/proxy/internal/poison"
)

// mostInUse is how many coders may be in use at a time, of gzip and of brotli: slow clients of long answers keep theirs
// for long.
const mostInUse = 256

// pool keeps coders of one kind and level. Those that nobody uses go with the next two collections of garbage.
type pool struct {
	pool  sync.Pool
	turn  int           // after how many bytes an event loop is told that there is more: some tenths of a millisecond
	used  *atomic.Int32 // coders of the kind that are in use
	spare func() coder  // nil: there is none
}

// get is a coder: where too many are in use one that keeps nothing between pieces and packs less, or nil.
func (p *pool) get() *kept {
	if p.used.Add(1) <= mostInUse {
		return p.pool.Get().(*kept)
	}
	p.used.Add(-1)
	if p.spare == nil {
		return nil
	}
	return &kept{coder: p.spare(), spare: true}
}

func (p *pool) put(k *kept) {
	if k.spare {
		return
	}
	p.used.Add(-1)
	k.sink = sink{}
	poison.Put(&p.pool, k)
}

func newPool(turn int, used *atomic.Int32, make func() coder) *pool {
	return &pool{turn: turn, used: used, pool: sync.Pool{New: func() any { return &kept{coder: make()} }}}
}

// stateless packs each piece by itself.
type stateless struct{ io.WriteCloser }

func newStateless() coder { return stateless{flate.NewStatelessWriter(io.Discard)} }

// Flush has nothing to do.
func (stateless) Flush() error { return nil }

// Reset is for another writer.
func (s stateless) Reset(w io.Writer) { s.WriteCloser.(interface{ Reset(io.Writer) }).Reset(w) }

// levels are klauspost's for zlib's: as small, or at most a twentieth larger, and faster (long_test.go: TestSizes).
var levels = [...]int{1: 1, 2: 2, 3: 4, 4: 5, 5: 6, 6: 6, 7: 8, 8: 8, 9: 8}

var gzips = func() (list [len(levels)]*pool) {
	var used atomic.Int32
	for level := 1; level < len(levels); level++ {
		list[level] = newPool(32<<10, &used, func() coder {
			w, _ := flate.NewWriter(io.Discard, levels[level]) // fails for a level that is none
			return w
		})
		list[level].spare = newStateless
	}
	return list
}()

// brotlis are pools by quality and window.
var (
	brotlis      sync.Map
	brotlisInUse atomic.Int32
)

type brotliKind struct{ quality, window int }

func brotlisOf(k brotliKind) *pool {
	if p, ok := brotlis.Load(k); ok {
		return p.(*pool)
	}
	turn := 32 << 10
	if k.quality > 9 {
		turn = 1 << 10 // the best costs fifty times as much
	}
	p, _ := brotlis.LoadOrStore(k, newPool(turn, &brotlisInUse, func() coder {
		return brotli.NewWriterOptions(io.Discard, brotli.WriterOptions{Quality: k.quality, LGWin: k.window})
	}))
	return p.(*pool)
}
