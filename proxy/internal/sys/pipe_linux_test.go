package sys

import (
	"syscall"
	"testing"
)

// Pipes are given out up to their number, and those that come back are given out again, also those that
// had to be closed.
func TestPipesHaveABound(t *testing.T) {
	var s Pipes
	var all []*Pipe
	take := func() {
		for {
			p, err := s.Get()
			if err == errPipes {
				return
			} else if err != nil {
				t.Skip(err)
			}
			all = append(all, p)
		}
	}
	defer func() {
		for _, p := range append(all, s.free...) {
			p.held = 1
			s.Put(p)
		}
	}()
	take()
	if len(all) != mostPipes {
		t.Fatalf("%d pipes", len(all))
	}
	for i, p := range all {
		p.held = i % 2
		s.Put(p)
	}
	if all = nil; len(s.free) != maxPipes || s.open != maxPipes {
		t.Fatalf("%d are kept, %d open", len(s.free), s.open)
	}
	if take(); len(all) != mostPipes {
		t.Fatalf("%d pipes the second time", len(all))
	}
	s.free = nil
}

// A pipe that is given back with something in it is closed.
func TestPipesKeepEmptyOnes(t *testing.T) {
	var s Pipes
	p, err := s.Get()
	if err != nil {
		t.Skip(err)
	}
	s.Put(p)
	if q, _ := s.Get(); q != p {
		t.Error("an empty pipe is not used again")
	}
	p.held = 1
	s.Put(p)
	if _, e := p.Drain(1); e != syscall.EBADF {
		t.Errorf("a pipe with something in it was kept: %v", e)
	}
}
