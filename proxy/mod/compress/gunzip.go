package compress

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"

	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/poison"
)

// unpacker is the storage for unpacking, used again and again.
type unpacker struct {
	in    *bufio.Reader
	z     io.ReadCloser
	chunk [32 << 10]byte // as much as z gives at a time
}

var unpackers = sync.Pool{New: func() any {
	u := &unpacker{in: bufio.NewReaderSize(nil, 4<<10)}
	u.z = flate.NewReader(u.in)
	return u
}}

// fault is what is wrong with packed bytes.
type fault struct {
	level   exchange.Level
	message string          // with its AH number
	status  exchange.Status // for the client, if it sent them
}

func (f *fault) Error() string { return f.message }

// Unwrap is the status.
func (f *fault) Unwrap() error { return f.status }

// gunzip reads what was packed (RFC 1952).
type gunzip struct {
	from  io.Reader
	rules *unpacking
	words *words
	limit int64 // bytes that may come out; 0: any number

	*unpacker
	ready []byte // of chunk, what was not given yet
	taken int64  // bytes read from from
	body  int64  // of these, those in front of the deflated ones
	total int64  // bytes that came out and were looked at
	last  int64  // deflated bytes that made those in front of ready
	next  int64  // and those of ready
	hits  int    // how often in a row the ratio was too high
	sum   uint32
	began bool
	plain bool // it is not packed after all: given as it is
	err   error
}

// counted is what flate reads from.
type counted gunzip

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.taken += int64(n)
	return n, err
}

// used is how many bytes were unpacked, without the head.
func (g *gunzip) used() int64 { return g.taken - int64(g.in.Buffered()) - g.body }

// Read gives unpacked bytes.
func (g *gunzip) Read(p []byte) (int, error) {
	if g.err == nil && !g.began {
		g.begin()
	}
	for g.err == nil && len(g.ready) == 0 && !g.plain {
		g.fill()
	}
	switch {
	case len(g.ready) > 0:
		return g.give(p)
	case g.err == nil:
		return g.in.Read(p)
	}
	return 0, g.err
}

// begin reads the head.
func (g *gunzip) begin() {
	g.began = true
	g.unpacker = unpackers.Get().(*unpacker)
	g.in.Reset((*counted)(g))
	g.err = g.head()
	g.body = g.taken - int64(g.in.Buffered())
	if g.err == nil && !g.plain {
		g.err = g.z.(flate.Resetter).Reset(g.in, nil)
	}
}

// Close gives the storage back.
func (g *gunzip) Close() error {
	if g.unpacker != nil {
		g.in.Reset(nil)
		poison.Bytes(g.chunk[:])
		poison.Put(&unpackers, g.unpacker)
		g.unpacker, g.ready = nil, nil
	}
	g.err, g.began = io.ErrClosedPipe, true
	return nil
}

// Bits of a head's flags.
const (
	hasSum = 1 << (iota + 1)
	hasExtra
	hasName
	hasComment
	reserved = 0xe0
)

// head reads the head: ten bytes, then what its flags say (httpd: mod_deflate.c consume_zlib_flags).
func (g *gunzip) head() error {
	h, err := g.in.Peek(10)
	switch {
	case err == io.EOF && len(h) == 0 && g.words.emptyIsWell:
		return io.EOF
	case err == io.EOF:
		return g.words.headCut
	case err != nil:
		return err
	case g.words.plainIsWell && h[2] != 8:
		g.plain = true
		return nil
	case h[0] != 0x1f || h[1] != 0x8b:
		return g.words.noMagic
	case h[3]&reserved != 0:
		return g.words.flags(h[3])
	}
	flags := h[3]
	g.in.Discard(10)
	return g.fields(flags)
}

func (g *gunzip) fields(flags byte) (err error) {
	skip := func(n int) {
		if err == nil {
			_, err = g.in.Discard(n)
		}
	}
	text := func() {
		for c := byte(1); c != 0 && err == nil; {
			c, err = g.in.ReadByte()
		}
	}
	if flags&hasExtra != 0 {
		var n []byte
		if n, err = g.in.Peek(2); err == nil {
			size := int(binary.LittleEndian.Uint16(n))
			skip(2 + size)
		}
	}
	if flags&hasName != 0 {
		text()
	}
	if flags&hasComment != 0 {
		text()
	}
	if flags&hasSum != 0 {
		skip(2)
	}
	if err == io.EOF {
		err = g.words.cut
	}
	return err
}

// fill unpacks what comes next: at most a chunk, and it does not wait for more than the first of it.
func (g *gunzip) fill() {
	g.last = g.next
	n, err := g.z.Read(g.chunk[:])
	g.next = g.used()
	g.ready = g.chunk[:n]
	g.sum = crc32.Update(g.sum, crc32.IEEETable, g.ready)
	switch {
	case err == io.EOF:
		if n == 0 {
			g.err = g.end()
		}
	case err == io.ErrUnexpectedEOF:
		g.err = g.words.cut
	case errors.As(err, new(flate.CorruptInputError)):
		g.err = g.words.broken(err)
	case err != nil: // of who sends it
		g.err = err
	}
	if n > 0 && g.err != nil {
		g.ready = nil // httpd gives nothing of a piece that goes wrong
	}
}

// give gives a step of what is ready once it was looked at.
func (g *gunzip) give(p []byte) (int, error) {
	n := min(len(g.ready), len(p), g.rules.step)
	g.total += int64(n)
	if err := g.check(int64(n)); err != nil {
		g.ready, g.err = nil, err
		return 0, err
	}
	copy(p, g.ready[:n])
	g.ready = g.ready[n:]
	return n, nil
}

// check holds what came out against the limits. How many bytes made it is reckoned where a chunk was made of them at once
// (httpd: mod_deflate.c check_ratio).
func (g *gunzip) check(n int64) error {
	if g.limit > 0 && g.total > g.limit {
		return g.words.tooMuch(g.total, g.limit)
	}
	left := int64(len(g.ready))
	g.last += (g.next - g.last) * n / left
	if g.last <= 0 || g.total/g.last < int64(g.rules.ratio) {
		g.hits = 0
		return nil
	}
	if g.hits++; g.hits > g.rules.burst {
		return g.words.bomb(g.rules)
	}
	return nil
}

// end reads what stands behind the deflated bytes: their sum and length.
func (g *gunzip) end() error {
	var b [8]byte
	if _, err := io.ReadFull(g.in, b[:]); err == io.EOF || err == io.ErrUnexpectedEOF {
		return g.words.endCut
	} else if err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(b[:]) != g.sum {
		return g.words.wrongSum
	}
	if length := binary.LittleEndian.Uint32(b[4:]); length != uint32(g.total) {
		return g.words.wrongLength(g.total, length)
	}
	if g.words.more == nil {
		return io.EOF
	}
	if _, err := g.in.ReadByte(); err == io.EOF {
		return io.EOF
	} else if err != nil {
		return err
	}
	return g.words.more
}
