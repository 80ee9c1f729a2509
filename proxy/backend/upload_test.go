package backend

import (
	"testing"

	"balancerd/proxy/exchange"
)

// growing is a client's body of which more comes whenever it is looked at.
type growing struct {
	exchange.NoBody
	here, rest string
}

func (b *growing) come() { b.here, b.rest = b.here+b.rest[:1], b.rest[1:] }

func (b *growing) Buffered() []byte {
	held := []byte(b.here)
	if b.rest != "" {
		b.come()
	}
	return held
}

func (b *growing) Complete() (bool, error) {
	if b.rest != "" {
		b.come()
	}
	return b.rest == "", nil
}

// A body of a stream, which another goroutine takes in, is not cut where it was looked at.
func TestBodyThatGrowsMeanwhile(t *testing.T) {
	for n := range 4 {
		x := &exchange.Exchange{}
		body := "abcd"
		x.Req.Body, x.Req.Length = &growing{here: body[:n], rest: body[n:]}, -1
		u := Upload{x: x}
		if u.look(); u.whole && (string(u.first) != body || u.length != int64(len(body))) {
			t.Errorf("%q of %d bytes is the whole of %q", u.first, u.length, body)
		}
	}
}
