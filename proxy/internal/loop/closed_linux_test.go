package loop

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// Who asks something of a loop that is closed writes to no descriptor that has its eventfd's number by then.
func TestClosedLoopIsNotWoken(t *testing.T) {
	g, err := NewGroup(1)
	if err != nil {
		t.Fatal(err)
	}
	l := g.list[0]
	number := l.wakeFD
	g.Close()
	closed := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.closed
	}
	for end := time.Now().Add(10 * time.Second); !closed(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the loop does not end")
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if own := int(w.Fd()); own != number && int(r.Fd()) != number {
		if err := syscall.Dup3(own, number, 0); err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(number)
	}
	l.enqueue(message{kind: msgSpawn})
	fd := int(r.Fd())
	syscall.SetNonblock(fd, true)
	if n, _ := syscall.Read(fd, make([]byte, 8)); n > 0 {
		t.Errorf("%d bytes were written to another's descriptor", n)
	}
}
