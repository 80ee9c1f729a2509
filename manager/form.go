package manager

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"balancerd/balancer"
)

const longestForm = 64 << 10 // bytes; httpd reads 1 KiB and drops the rest

// form is the request's parameters by their names in lower case.
type form map[string]field

// field is one value. Its page writes worker and balancer URL-encoded, the browser encodes that once
// more, so values are decoded twice; links encode once, so what they mean is the text in between.
type field struct{ once, twice string }

// read takes the parameters: of a GET the four that select, of a POST all of its body, whatever its
// type. status is the answer to a body that can't be read.
func (v *visit) read(w http.ResponseWriter) (status int, err error) {
	v.json = acceptsJSON(v.r.Header.Get("Accept"))
	if v.r.Method != http.MethodPost {
		v.form = parse(v.r.URL.RawQuery, "w", "b", "nonce", "xml")
		if v.json = v.json || parse(v.r.URL.RawQuery, "json").has("json"); v.json {
			v.form = form{} // which needs no Referer
		}
		return 0, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, v.r.Body, longestForm))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return http.StatusRequestEntityTooLarge, err
	}
	v.form = parse(string(body))
	v.json = v.json || v.form.has("json")
	return http.StatusBadRequest, err
}

// acceptsJSON reports whether the client asks for JSON and not for a page: browsers accept anything.
func acceptsJSON(accept string) bool {
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// parse splits "a=b&c=d"; the last of equal names counts (httpd: mod_proxy_balancer.c push2table).
func parse(text string, allowed ...string) form {
	f := form{}
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name = unescape(name); pair == "" || len(allowed) > 0 && !slices.Contains(allowed, name) {
			continue
		}
		once := unescape(value)
		f[strings.ToLower(name)] = field{once, unescape(once)}
	}
	return f
}

// unescape decodes %XX, leaves a plus and what is no escape as it is, and ends at a zero byte as C's
// texts do (httpd: util.c ap_unescape_url).
func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) && hex(s[i+1]) >= 0 && hex(s[i+2]) >= 0 {
			c = byte(hex(s[i+1])<<4 | hex(s[i+2]))
			i += 2
		}
		if c == 0 {
			break
		}
		b = append(b, c)
	}
	return string(b)
}

func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func (f form) get(name string) (string, bool) {
	v, ok := f[name]
	return v.twice, ok
}

func (f form) has(name string) bool {
	_, ok := f[name]
	return ok
}

// worker is the member that w names: the longest whose URL begins it. Scripts also leave the final
// slash away, or write the scheme's own port.
func (f form) worker(b *balancer.Balancer) *balancer.Worker {
	w := f["w"]
	for _, url := range []string{w.twice, w.once, w.twice + "/"} {
		if m := b.Member(url); m != nil {
			return m
		}
	}
	if a, err := balancer.ParseAddress(w.twice, "/", false); err == nil {
		return b.Member(a.URL)
	}
	return nil
}

// change is the form as an edit, by the parameter tables: the worker's fields, then the balancer's.
func (f form) change(vhost string, b *balancer.Balancer, w *balancer.Worker) balancer.Change {
	c := balancer.Change{VHost: vhost, Balancer: b.Name()}
	if w != nil {
		c.Worker = w.URL()
		c.Form = values(f, balancer.WorkerParams, c.Form)
	}
	c.Form = values(f, balancer.BalancerParams, c.Form)
	return c
}

// newMember is the URL of a member to add, when the box next to it is ticked.
func (f form) newMember() (url string, add bool) {
	if yes, _ := f.get("b_wyes"); yes != "1" {
		return "", false
	}
	return f.get("b_nwrkr")
}

func values[S any](f form, table balancer.Table[S], list []balancer.Value) []balancer.Value {
	for _, p := range table {
		if p.FormSet == nil {
			continue
		}
		if text, ok := f.get(strings.ToLower(p.Form)); ok {
			list = append(list, balancer.Value{Name: p.Form, Text: text})
		}
	}
	return list
}
