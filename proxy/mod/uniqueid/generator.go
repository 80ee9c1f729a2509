package uniqueid

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"sync/atomic"

	"balancerd/proxy/exchange"
)

// The parts of a name, in bytes (httpd: mod_unique_id.c unique_id_rec): the second in which the request began, what was
// drawn for this process, and how many requests it had, low half first.
const (
	stampSize  = 4
	rootSize   = 10
	countSize  = 2
	threadSize = 4
	recordSize = stampSize + rootSize + countSize + threadSize
)

// generator makes names. It is safe for concurrent use.
type generator struct {
	root  [rootSize]byte
	count atomic.Uint64
}

// newGenerator draws what tells this process, and this reading of its configuration, from all others.
func newGenerator() *generator {
	g := new(generator)
	rand.Read(g.root[:])
	return g
}

// next is a name of 27 letters, digits, "-" and "_", which lives as long as the exchange. It allocates nothing.
func (g *generator) next(x *exchange.Exchange) string {
	n := g.count.Add(1)
	var r [recordSize]byte
	binary.BigEndian.PutUint32(r[:], uint32(x.Start.Unix()))
	copy(r[stampSize:], g.root[:])
	binary.BigEndian.PutUint16(r[stampSize+rootSize:], uint16(n))
	binary.BigEndian.PutUint32(r[stampSize+rootSize+countSize:], uint32(n>>16))
	var text [(recordSize*8 + 5) / 6]byte
	base64.RawURLEncoding.Encode(text[:], r[:])
	return x.Arena.Bytes(text[:])
}
