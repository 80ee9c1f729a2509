package compress

import (
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
)

// pool keeps coders of one kind and level. Those that nobody uses go with the next two collections of garbage.
type pool struct {
	pool sync.Pool
	turn int // after how many bytes an event loop is told that there is more: some tenths of a millisecond
}

func (p *pool) get() *kept { return p.pool.Get().(*kept) }

func (p *pool) put(k *kept) {
	k.sink = sink{}
	p.pool.Put(k)
}

func newPool(turn int, make func() coder) *pool {
	return &pool{turn: turn, pool: sync.Pool{New: func() any { return &kept{coder: make()} }}}
}

// levels are klauspost's for zlib's: as small, or at most a twentieth larger, and faster (size_test.go).
var levels = [...]int{1: 1, 2: 2, 3: 4, 4: 5, 5: 6, 6: 6, 7: 7, 8: 8, 9: 8}

var gzips = func() (list [len(levels)]*pool) {
	for level := 1; level < len(levels); level++ {
		list[level] = newPool(32<<10, func() coder {
			w, _ := flate.NewWriter(io.Discard, levels[level]) // fails for a level that is none
			return w
		})
	}
	return list
}()

// brotlis are pools by quality and window.
var brotlis sync.Map

type brotliKind struct{ quality, window int }

func brotlisOf(k brotliKind) *pool {
	if p, ok := brotlis.Load(k); ok {
		return p.(*pool)
	}
	turn := 32 << 10
	if k.quality > 9 {
		turn = 1 << 10 // the best costs fifty times as much
	}
	p, _ := brotlis.LoadOrStore(k, newPool(turn, func() coder {
		return brotli.NewWriterOptions(io.Discard, brotli.WriterOptions{Quality: k.quality, LGWin: k.window})
	}))
	return p.(*pool)
}
