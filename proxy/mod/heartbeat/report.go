package heartbeat

import (
	"strconv"
	"strings"
	"time"

	"balancerd/balancer/method"
)

// longestReport is how much of a report counts, in bytes (httpd: mod_heartmonitor.c MAX_MSG_LEN).
const longestReport = 1000

// heard reads a datagram: "v=1&ready=R&busy=B&port=P". Numbers are read as C's atoi does; what is negative is 0. ok is false
// for a malformed one (httpd: hm_processmsg).
func heard(text string, now time.Time) (r method.Report, ok bool) {
	v := method.Values(text)
	for _, name := range [...]string{"v", "ready", "busy"} {
		if _, has := v[name]; !has {
			return r, false
		}
	}
	return reportOf(v, now), true
}

// reportOf is what a datagram, or a line of the file, says of a server that was heard of at seen.
func reportOf(v map[string]string, seen time.Time) method.Report {
	r := method.Report{Ready: loose(v["ready"]), Busy: loose(v["busy"]), Port: 80, Seen: seen}
	if p, has := v["port"]; has {
		r.Port = loose(p)
	}
	return r
}

// posted reads a report that came by POST, with what is wrong with its numbers. ok is false when one is missing (httpd:
// hm_handler).
func posted(text string, now time.Time) (r method.Report, wrong []string, ok bool) {
	v := method.Values(text)
	ready, has1 := v["ready"]
	busy, has2 := v["busy"]
	if !has1 || !has2 {
		return r, nil, false
	}
	r = method.Report{Port: 80, Seen: now}
	if p, has := v["port"]; has {
		if n, good := strict(p); good && p != "" && n >= 1 && n <= 65535 {
			r.Port = n
		} else {
			wrong = append(wrong, "AH10564: Invalid port value: "+p+", using default 80")
		}
	}
	var good bool
	if r.Busy, good = strict(busy); !good {
		wrong = append(wrong, "AH10565: Invalid busy value: "+busy+", using 0")
	}
	if r.Ready, good = strict(ready); !good {
		wrong = append(wrong, "AH10566: Invalid ready value: "+ready+", using 0")
	}
	return r, wrong, true
}

const most = 1<<31 - 1

// loose is a number as C's atoi reads it, from 0 to what an int holds.
func loose(text string) int {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	end := 0
	for end < len(text) && ('0' <= text[end] && text[end] <= '9' || end == 0 && (text[0] == '-' || text[0] == '+')) {
		end++
	}
	n, _ := strict(text[:end])
	return n
}

// strict is a number that stands alone, from 0 to what an int holds; an empty text is 0. good is false, and n 0, for anything else.
func strict(text string) (n int, good bool) {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	if text == "" {
		return 0, true
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil && v == 0 || v < 0 {
		return 0, false
	}
	return int(min(v, most)), true
}
