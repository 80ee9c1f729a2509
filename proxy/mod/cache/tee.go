package cache

import (
	"io"

	kept "balancerd/proxy/cache"
	"balancerd/proxy/exchange"
)

// tee is a body that is kept as it passes. Owned by its reader.
type tee struct {
	from  exchange.Source
	to    *kept.Recorder
	least int64 // bytes that it must have to be kept
	l     *lookup
	whole bool // from has told that no more will come in
}

func newTee(x *exchange.Exchange, to *kept.Recorder, least int64, l *lookup) *tee {
	return &tee{from: x.Res.Body, to: to, least: least, l: l}
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	t.take(p[:n])
	t.ended(err)
	return n, err
}

// Buffered keeps the last bytes of a body whose length is known before the client can have them, and ask again.
func (t *tee) Buffered() []byte {
	b := t.from.Buffered()
	if t.to.Ends(len(b)) {
		t.take(b)
	}
	return b
}

// take keeps some of the body.
func (t *tee) take(p []byte) {
	if t.to.Write(p); t.to.Full() {
		t.ended(io.EOF)
	}
}

func (t *tee) Discard(n int) {
	t.take(t.from.Buffered()[:n])
	t.from.Discard(n)
	if t.whole && len(t.from.Buffered()) == 0 {
		t.ended(io.EOF)
	}
}

// Gather is exchange.Gatherer's.
func (t *tee) Gather() error {
	g, ok := t.from.(exchange.Gatherer)
	if !ok {
		return nil
	}
	err := g.Gather()
	if len(t.from.Buffered()) == 0 {
		t.ended(err)
	}
	return err
}

// Complete is exchange.Complete's.
func (t *tee) Complete() (bool, error) {
	c, ok := t.from.(exchange.Complete)
	if !ok {
		return false, nil
	}
	done, err := c.Complete()
	t.whole = done && err == nil
	return done, err
}

func (t *tee) ended(err error) {
	switch {
	case err == nil:
	case err == io.EOF:
		t.to.Commit(t.least)
		t.l.unlock()
	default:
		t.to.Abandon()
		t.l.unlock()
	}
}

// Close ends it. A body whose length was told is whole when as much has passed, though nobody has asked for its end.
func (t *tee) Close() error {
	if t.to.Full() {
		t.ended(io.EOF)
	}
	t.to.Abandon()
	t.l.unlock()
	return t.from.Close()
}
