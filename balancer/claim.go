package balancer

import (
	"context"
	"errors"
	"time"
)

// Client is what a balancer asks of a request. Make it a pointer: then a Claim allocates nothing.
type Client interface {
	// StickyURL is the path as rewritten and decoded, and the query without its '?'. Together, as
	// path?query, they are searched for the session id.
	StickyURL() (path, query string)
	// Cookies is the Cookie header; several are joined by ", ".
	Cookies() string
}

// Claim is one request's hold on the member that was picked for it. It must be Done once. A request
// that fails over holds a Claim for each member it tried until it ends.
type Claim struct {
	Worker       *Worker
	StickyName   string // cookie or URL parameter that held the session id, BALANCER_SESSION_STICKY
	SessionRoute string // the route in it, BALANCER_SESSION_ROUTE; may be empty
	HasSession   bool   // the request named a route: the two above are valid
	RouteChanged bool   // sessions stick, but the member is not the one the client named
	InURL        bool   // the session id stood in the URL
	Sticky       bool   // picked by its route, not by the method
	Forced       bool   // all members were in error and were given another chance (AH01165)

	term uint32
}

// The reasons why no member is picked. All mean 503.
var (
	ErrNoWorkers  = errors.New("No workers in balancer")         // AH01171
	ErrAllInError = errors.New("All workers are in error state") // AH01170
	ErrRouteLost  = errors.New("route lost")                     // AH01167; the error is a *RouteLost
)

// RouteLost is the error of a session whose member is unusable, with nofailover=On.
type RouteLost struct{ Route string }

// Error is httpd's message.
func (e *RouteLost) Error() string {
	return "All workers are in error state for route (" + e.Route + ")"
}

// Is makes it an ErrRouteLost.
func (e *RouteLost) Is(target error) bool { return target == ErrRouteLost }

// MethodDataError says that Method.Data failed (AH01213). It is an ErrAllInError, too.
type MethodDataError struct {
	Method string
	Err    error
}

// Error is the cause.
func (e *MethodDataError) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *MethodDataError) Unwrap() error { return e.Err }

// Is makes it an ErrAllInError.
func (e *MethodDataError) Is(target error) bool { return target == ErrAllInError }

// Claim picks a member: by the session's route if there is one, else by the method. c may be nil
// when nothing is known of the client. now must not be older than the failures it is compared with:
// the moment of this pick, for a pick after a failure as well. It does not wait; see Wait
// (httpd: mod_proxy_balancer.c proxy_balancer_pre_request).
func (b *Balancer) Claim(c Client, now time.Time) (Claim, error) {
	set := b.settings.Load()
	s := set.session(c)
	d := b.loadMethodData(now)
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	list := b.group.list()
	forced := false
	if b.group.index == nil || b.group.indexed(now) == nil {
		forced = recoverAll(list, set.ForceRecovery.V, now)
	}
	b.sync()
	if s.route != "" {
		if w := b.group.routed(s.route, now); w != nil {
			b.group.accountSticky(list, w)
			return w.hold(Claim{RouteChanged: w.route != s.route, Sticky: true, Forced: forced}, s), nil
		}
		if set.NoFailover.V && b.group.hasRoute(s.route) {
			return Claim{}, &RouteLost{s.route}
		}
	}
	w, err := b.elect(c, &s, &d, now)
	if err != nil {
		return Claim{}, err
	}
	return w.hold(Claim{RouteChanged: set.Sticky.On(), Forced: forced}, s), nil
}

// hold counts the request and completes its claim.
func (w *Worker) hold(c Claim, s session) Claim {
	c.Worker, c.term = w, w.busy.add()
	w.moves()
	c.StickyName, c.SessionRoute, c.HasSession, c.InURL = s.name, s.route, s.found, s.inURL
	return c
}

// Done ends the request's hold. The zero Claim may be Done.
func (c Claim) Done() {
	if c.Worker != nil {
		c.Worker.busy.done(c.term)
		c.Worker.moves()
	}
}

// Wait is Claim, and when no member is usable waits for one as long as the balancer's timeout says,
// trying 100 times; the session's route is not looked for again then. It ends early with ctx. Each request waits
// its own time: in httpd only the first does (httpd: mod_proxy_balancer.c find_best_worker). now is the
// time, or not long ago. blocks, if it is not nil, is called before the wait begins, if there is one, and before the method reads a file.
func (b *Balancer) Wait(ctx context.Context, c Client, now time.Time, blocks func()) (Claim, error) {
	if m := b.method.Load(); m.Reads != nil && blocks != nil && m.Reads() {
		blocks()
	}
	claim, err := b.Claim(c, now)
	set := b.settings.Load()
	if err == nil || set.Timeout == 0 || errors.Is(err, ErrRouteLost) {
		return claim, err
	}
	s := set.session(c)
	if blocks != nil {
		blocks()
	}
	step := time.NewTicker(set.Timeout / 100)
	defer step.Stop()
	for range 100 {
		select {
		case <-ctx.Done():
			return Claim{}, ctx.Err()
		case <-step.C:
		}
		if claim, err = b.claimAgain(c, s, set.Sticky.On(), time.Now()); err == nil {
			return claim, nil
		}
	}
	return Claim{}, err
}

// claimAgain has the method pick once more.
func (b *Balancer) claimAgain(c Client, s session, sticky bool, now time.Time) (Claim, error) {
	d := b.loadMethodData(now)
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	w, err := b.elect(c, &s, &d, now)
	if err != nil {
		return Claim{}, err
	}
	return w.hold(Claim{RouteChanged: sticky}, s), nil
}
