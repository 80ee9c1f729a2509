// Package ticker has what recurs while a server does little: a time.Ticker wakes Go's monitor thread as well, which
// then looks around every 20 µs for a while and so costs more than most of what it was woken for.
//
//	sweeping idle connections   ─┐
//	writing down counters       ─┤
//	                             ├── Ticker ── Linux: a timer of the kernel's, by the runtime's poller (sys.Timer)
//	reporting the load          ─┤             else, and without a descriptor for it: a time.Ticker
//	writing what members report ─┘
//
// Reading order: ticker.go, ticker_linux.go (elsewhere ticker_other.go).
package ticker
