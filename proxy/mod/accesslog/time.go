package accesslog

import (
	"strings"
	"sync/atomic"
	"time"

	"balancerd/proxy/log/sink"
)

const clf = "[02/Jan/2006:15:04:05 -0700]"

// stamp is a second's text, made once a second and shared by all goroutines.
type stamp struct {
	second int64
	text   string
}

// requestTime is %t: the common log format, strftime's, or numbers; of the request's beginning or,
// with "end:", of its end (httpd: mod_log_config.c log_request_time).
func requestTime(it *item) piece {
	at := func(v *view) time.Time { return v.x.Start }
	format := it.arg
	if rest, ok := cutStage(format, "begin"); ok {
		format = rest
	} else if rest, ok := cutStage(format, "end"); ok {
		at, format = (*view).over, rest
	}
	switch format {
	case "":
		return clfTime(at)
	case "sec":
		return func(b []byte, v *view) []byte { return integer(b, at(v).Unix()) }
	case "msec":
		return func(b []byte, v *view) []byte { return integer(b, at(v).UnixMilli()) }
	case "usec":
		return func(b []byte, v *view) []byte { return integer(b, at(v).UnixMicro()) }
	case "msec_frac":
		return func(b []byte, v *view) []byte { return zeroes(b, at(v).Nanosecond()/1e6, 100) }
	case "usec_frac":
		return func(b []byte, v *view) []byte { return zeroes(b, at(v).Nanosecond()/1e3, 100000) }
	}
	return func(b []byte, v *view) []byte { return sink.Strftime(b, format, at(v)) }
}

// cutStage takes "begin" or "end" off, alone or with a colon.
func cutStage(arg, stage string) (string, bool) {
	rest, ok := strings.CutPrefix(arg, stage)
	if !ok || rest == "" {
		return "", ok
	}
	return strings.CutPrefix(rest, ":")
}

func clfTime(at func(*view) time.Time) piece {
	last := &atomic.Pointer[stamp]{}
	return func(b []byte, v *view) []byte {
		t := at(v)
		s := last.Load()
		if s == nil || s.second != t.Unix() {
			s = &stamp{t.Unix(), t.Local().Format(clf)}
			last.Store(s)
		}
		return append(b, s.text...)
	}
}

// zeroes appends n with leading zeroes, unit being the smallest number that needs none.
func zeroes(b []byte, n, unit int) []byte {
	for ; unit > 1 && n < unit; unit /= 10 {
		b = append(b, '0')
	}
	return integer(b, int64(n))
}

func elapsed(v *view) time.Duration { return max(v.over().Sub(v.x.Start), 0) }

func microseconds(b []byte, v *view) []byte { return integer(b, elapsed(v).Microseconds()) }

// duration is %T: in seconds, or in the unit that is named; another argument is printed as it is.
func duration(it *item) piece {
	switch strings.ToLower(it.arg) {
	case "", "s":
		return func(b []byte, v *view) []byte { return integer(b, int64(elapsed(v)/time.Second)) }
	case "ms":
		return func(b []byte, v *view) []byte { return integer(b, elapsed(v).Milliseconds()) }
	case "us":
		return microseconds
	}
	return constant(it.arg)
}

// firstByte is %^FB: microseconds to the head of the response, where LogIOTrackTTFB asks for it.
func firstByte(b []byte, v *view) []byte {
	first := v.x.Res.FirstByte
	if first.IsZero() || !v.track {
		return append(b, '-')
	}
	return integer(b, max(first.Sub(v.x.Start), 0).Microseconds())
}
