package http2

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"balancerd/proxy/exchange"
)

// named answers "/N" with a field whose name holds N, as the texts of a member's response are: views into
// memory that the next exchange uses again. A large value is in front of it.
func named(size int) func(context.Context, *exchange.Exchange) {
	large := strings.Repeat("l", size)
	return func(_ context.Context, x *exchange.Exchange) {
		n := x.Req.RawPath[1:]
		x.Res.Status, x.Res.Proxied = 200, true
		x.Res.Header.Add("X-Large", large)
		x.Res.Header.Add(x.Arena.Join("X-Of-", n), x.Arena.Join("value of ", n))
	}
}

// Answers without a body wait in the connection of a client that does not read, while their exchanges are
// over and others follow: their fields stay what they were.
func TestAnswersWaitWithTheirOwnFields(t *testing.T) {
	f := newFront(t, &app{serve: named(40 << 10)})
	slow := f.dial(t, http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: 1 << 24})
	const streams = 90
	for i := range streams {
		slow.get(uint32(2*i+1), "/"+strconv.Itoa(1000+i))
	}
	for f.app.finished() < streams {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	other := f.dial(t)
	for i := range streams {
		other.get(uint32(2*i+1), "/"+strconv.Itoa(5000+i))
	}
	for f.app.finished() < 2*streams {
		time.Sleep(time.Millisecond)
	}
	wrong, seen := 0, 0
	for seen < streams {
		fr, err := slow.fr.ReadFrame()
		if err != nil {
			t.Fatal(err, seen)
		}
		h, ok := fr.(*http2.MetaHeadersFrame)
		if !ok {
			continue
		}
		seen++
		n := strconv.Itoa(1000 + int(h.StreamID)/2)
		good := false
		for _, field := range h.Fields {
			if strings.HasPrefix(field.Name, "x-of-") || strings.ContainsRune(field.Name, 0xdb) {
				good = field.Name == "x-of-"+n && field.Value == "value of "+n
			}
		}
		if !good {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d answers with other answers' fields, or without theirs", wrong, streams)
	}
}
