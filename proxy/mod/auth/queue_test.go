package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"balancerd/proxy/exchange"
	"balancerd/testdata/linear"
)

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }

func keyOf(parts ...any) [sha256.Size]byte { return sha256.Sum256([]byte(fmt.Sprint(parts...))) }

// slowQueue is a queue whose computations wait to be let go, and what was computed.
type slowQueue struct {
	*queue
	t     *testing.T
	free  chan bool
	mu    sync.Mutex
	order []string
	all   sync.WaitGroup
}

func newSlowQueue(t *testing.T, most int) *slowQueue {
	return &slowQueue{queue: newQueue(most), t: t, free: make(chan bool)}
}

// ask asks for a password's check and returns once it waits or is computed.
func (b *slowQueue) ask(ctx context.Context, from int, user, password string, result func(bool, error)) {
	before := b.standing()
	b.all.Go(func() {
		ok, err := b.do(ctx, address(from), user, keyOf(user, password), func() bool {
			b.mu.Lock()
			b.order = append(b.order, fmt.Sprint(from, user, password))
			b.mu.Unlock()
			<-b.free
			return password == "right"
		})
		if result != nil {
			result(ok, err)
		}
	})
	for end := time.Now().Add(10 * time.Second); b.standing() == before; runtime.Gosched() {
		if time.Now().After(end) {
			b.t.Fatal("no place in the queue")
		}
	}
}

// standing is how many have entered and not left; one that gives way leaves at once.
func (b *slowQueue) standing() (n int) {
	b.queue.mu.Lock()
	defer b.queue.mu.Unlock()
	for _, c := range b.checks {
		n += c.asked
	}
	return n
}

func (b *slowQueue) computed() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.order, " ")
}

// empty fails if something stayed behind.
func (b *slowQueue) empty() {
	b.t.Helper()
	b.queue.mu.Lock()
	defer b.queue.mu.Unlock()
	if b.running != 0 || b.waiting != 0 || len(b.lines) != 0 || len(b.checks) != 0 || b.turns.Len() != 0 {
		b.t.Errorf("left behind: %d running, %d waiting, %d lines, %d checks, %d turns", b.running, b.waiting, len(b.lines), len(b.checks), b.turns.Len())
	}
}

// TestTurnsGoRound between addresses, and between the users of one.
func TestTurnsGoRound(t *testing.T) {
	b := newSlowQueue(t, 1)
	ctx := context.Background()
	b.ask(ctx, 1, "a", "0", nil)
	for i := range 3 {
		b.ask(ctx, 1, "a", fmt.Sprint(i+1), nil)
	}
	b.ask(ctx, 2, "b", "right", func(ok bool, err error) {
		if !ok || err != nil {
			t.Error(ok, err)
		}
	})
	b.ask(ctx, 1, "c", "x", nil)
	b.ask(ctx, 2, "b", "y", nil)
	close(b.free)
	b.all.Wait()
	if got, want := b.computed(), "1a0 1a1 2bright 1cx 2by 1a2 1a3"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b.empty()
}

// TestSameCheckIsComputedOnce, for whoever asks, and each is told.
func TestSameCheckIsComputedOnce(t *testing.T) {
	b := newSlowQueue(t, 2)
	var told atomic.Int32
	for i := range 20 {
		b.ask(context.Background(), i%3, "a", "right", func(ok bool, err error) {
			if ok && err == nil {
				told.Add(1)
			}
		})
	}
	close(b.free)
	b.all.Wait()
	if got := b.computed(); got != "0aright" || told.Load() != 20 {
		t.Errorf("computed %s, %d were told", got, told.Load())
	}
	b.empty()
}

// TestQueueIsBounded: an address has its share, and one that has more of a full queue gives way.
func TestQueueIsBounded(t *testing.T) {
	b := newSlowQueue(t, 1)
	ctx := context.Background()
	var busy [5]atomic.Int32
	ask := func(from, n int) {
		b.ask(ctx, from, "a", fmt.Sprint(n), func(_ bool, err error) {
			if err == errBusy {
				busy[from].Add(1)
			}
		})
	}
	ask(0, 0) // is computed
	for from := 1; from <= 4; from++ {
		for i := range mostOfOne {
			ask(from, i)
		}
	}
	refused := func(from int) { // at once
		t.Helper()
		if _, err := b.do(ctx, address(from), "a", keyOf("more"), nil); err != errBusy {
			t.Errorf("from %d: %v", from, err)
		}
	}
	refused(1)        // as many as one may have wait there
	b.all.Go(func() { // another one's last gives way
		if _, err := b.do(ctx, address(5), "a", keyOf("new"), func() bool { return true }); err != nil {
			t.Error("the newcomer:", err)
		}
	})
	eventually(t, "somebody who gave way", func() bool {
		n := int32(0)
		for i := 1; i <= 4; i++ {
			n += busy[i].Load()
		}
		return n == 1
	})
	close(b.free)
	b.all.Wait()
	b.empty()
}

// TestWaitersThatGo leave nothing behind, and nobody in the lurch.
func TestWaitersThatGo(t *testing.T) {
	b := newSlowQueue(t, 1)
	ctx, cancel := context.WithCancel(context.Background())
	b.ask(context.Background(), 1, "a", "0", nil)
	gone := make(chan error, 1)
	b.ask(ctx, 1, "a", "right", func(_ bool, err error) { gone <- err })
	b.ask(context.Background(), 2, "a", "right", func(ok bool, err error) {
		if !ok || err != nil {
			t.Error(ok, err)
		}
	})
	cancel()
	if err := <-gone; err != context.Canceled {
		t.Error(err)
	}
	close(b.free)
	b.all.Wait()
	b.empty()
}

// TestManyAtOnce: whatever comes together, each gets his own response.
func TestManyAtOnce(t *testing.T) {
	q := newQueue(3)
	var all sync.WaitGroup
	var at, most atomic.Int32
	for i := range 500 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if i%7 == 0 {
				go cancel()
			}
			right := i%3 == 0
			ok, err := q.do(ctx, address(i%11), fmt.Sprint("user", i%5), keyOf(i%50, right), func() bool {
				for n := at.Add(1); ; {
					old := most.Load()
					if n <= old || most.CompareAndSwap(old, n) {
						break
					}
				}
				defer at.Add(-1)
				bcryptDigestOf("x", 4, "......................")
				return right
			})
			if err == nil && ok != right {
				t.Errorf("%d: %v", i, ok)
			}
			if err != nil && (err != context.Canceled || i%7 != 0) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	if most.Load() > 3 {
		t.Errorf("%d at once", most.Load())
	}
	(&slowQueue{queue: q, t: t}).empty()
}

// TestPanicKeepsNoTurn: who waits for the same is told no, and the next ones go on.
func TestPanicKeepsNoTurn(t *testing.T) {
	q := newQueue(1)
	func() {
		defer func() { recover() }()
		q.do(context.Background(), address(1), "a", keyOf(1), func() bool { panic("x") })
	}()
	ok, err := q.do(context.Background(), address(1), "a", keyOf(1), func() bool { return true })
	if !ok || err != nil {
		t.Error(ok, err)
	}
}

// TestBcryptAgrees with x/crypto's.
func TestBcryptAgrees(t *testing.T) {
	for _, password := range []string{"", "secret", "ümläut", strings.Repeat("x", 71), strings.Repeat("y", 72)} {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ password, hash string }{{password, string(hash)}, {password + "z", string(hash)}, {password, "$2y$" + string(hash[4:])}, {password, "$2$" + string(hash[4:])},
			{password, string(hash[:len(hash)-1])}, {password, string(hash) + "x"}, {password, "$2a$99$" + string(hash[7:])}, {password, "$2a$05$"}, {password, "$2"},
			{password, strings.Replace(string(hash), "$05$", "$06$", 1)}, {password, string(hash[:7]) + "!" + string(hash[8:])}} {
			want := len(c.hash) <= 60 && bcrypt.CompareHashAndPassword([]byte(c.hash), []byte(c.password[:min(len(c.password), 72)])) == nil
			if got := bcryptFits(c.password, c.hash); got != want {
				t.Errorf("%q %q: %v, want %v", c.password, c.hash, got, want)
			}
		}
	}
}

func TestClientNetworks(t *testing.T) {
	for a, want := range map[string]string{"192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1": "fe80::"} {
		if got := clientNetwork(netip.MustParseAddr(a)).String(); got != want {
			t.Errorf("%s: %s, want %s", a, got, want)
		}
	}
}

// TestPasswordsAreLinear, whatever the hash.
func TestPasswordsAreLinear(t *testing.T) {
	for line := range strings.SplitSeq(users, "\n") {
		user, hash, _ := strings.Cut(line, ":")
		if hash = strings.TrimLeft(hash, ":"); hash == "" || user == "" || user[0] == '#' {
			continue
		}
		t.Run(user, func(t *testing.T) {
			p := newPasswords()
			input := func(size int) string { return strings.Repeat("x", size) }
			linear.Check(t, 600, input, func(password string) {
				if ok, err := p.fits(context.Background(), noConn(), user, password, hash); ok || err != nil {
					t.Fatal(ok, err)
				}
			})
		})
	}
}

// noConn is an exchange without a connection.
func noConn() *exchange.Exchange { return &exchange.Exchange{} }

// TestTooManyLogins: who finds the queue full is told when to come again, and the log is told of it.
func TestTooManyLogins(t *testing.T) {
	q := sharedPasswords().queue
	from := address(1)
	q.mu.Lock()
	q.lines[from] = &line{of: from, named: map[string]*userLine{}, waiting: mostOfOne}
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		delete(q.lines, from)
		q.mu.Unlock()
	}()
	r := newRig(t, in("AuthType Basic\nAuthName x\nAuthUserFile "+write(t, "users", users)+"\nRequire valid-user"))
	ask := func(password string) *exchange.Exchange {
		return r.Get("GET /proxied HTTP/1.1\nFrom: " + from.String() + "\n" + credentials("apr1", password))
	}
	x := ask("nobody asked for this before")
	if log := r.Log.Take(); x.Res.Status != 503 || answered(x, "Retry-After") != "1" || !strings.Contains(log, "[auth_basic:error] user apr1 has to come again: too many passwords wait") {
		t.Errorf("%d, Retry-After %q: %s", x.Res.Status, answered(x, "Retry-After"), log)
	}
	p := sharedPasswords()
	_, hash, _ := strings.Cut(strings.Split(users, "\n")[1], ":")
	p.remember.keep(p.remember.digest(hash, "secret"))
	if x := ask("secret"); x.Res.Status != 200 {
		t.Errorf("%d with a password that is remembered", x.Res.Status)
	}
}
