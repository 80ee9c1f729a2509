package compress

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"balancerd/proxy/exchange"
)

// gzipHead is without a name or a time (RFC 1952 section 2.3).
const gzipHead = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"

// smallestWindow is the widest window that zlib takes for none: with such a DeflateWindowSize answers go as they are.
const smallestWindow = 8

// newGzip is DEFLATE of answers with the settings of a server.
func newGzip(s *settings) *packing {
	of, n := gzips[s.level.Or(6)], s.notes
	p := &packing{module: "deflate", coding: "gzip", off: "no-gzip", tag: s.tag, of: of, broken: never}
	p.unfit = func(x *exchange.Exchange) bool { return small(x) || otherThanHTML(x) }
	p.forced = func(x *exchange.Exchange) bool { return x.Env.Has("force-gzip") }
	if s.window.Or(15) <= smallestWindow {
		p.broken = func(x *exchange.Exchange) bool {
			x.Log("deflate", exchange.Error, nil, x.Arena.Join("AH01383: unable to init Zlib: deflateInit2 returned -2: URL ", x.Req.Path))
			return true
		}
	}
	p.start = func(x *exchange.Exchange, k *kept, out io.Writer) exchange.Rewriter {
		io.WriteString(out, gzipHead)
		return &gzipWriter{writer: newWriter(x, of, k, &n, out), out: out}
	}
	return p
}

// gzipWriter is a writer with what gzip puts behind.
type gzipWriter struct {
	writer
	out io.Writer
	sum uint32
}

func (g *gzipWriter) Write(p []byte) (int, error) {
	g.sum = crc32.Update(g.sum, crc32.IEEETable, p)
	return g.writer.Write(p)
}

// Close ends the answer: sum and length (RFC 1952 section 2.3.1).
func (g *gzipWriter) Close() error {
	if err := g.writer.Close(); err != nil {
		return err
	}
	if x := g.x; x.Enabled("deflate", exchange.Debug) {
		x.Log("deflate", exchange.Debug, nil, x.Arena.Join("AH01384: Zlib: Compressed ", x.Arena.Int(g.in), " to ", x.Arena.Int(g.k.sink.n), " : URL ", x.Req.Path))
	}
	end := binary.LittleEndian.AppendUint32(make([]byte, 0, 8), g.sum)
	_, err := g.out.Write(binary.LittleEndian.AppendUint32(end, uint32(g.in)))
	return err
}
