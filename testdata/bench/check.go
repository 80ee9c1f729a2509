package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// check asks every server by every variant before anything is measured: what does not answer wholly, or
// lacks the feature that its variant is for, would be measured as fast.
func (r *rig) check() error {
	for _, s := range r.servers {
		if err := spoke(s); err != nil {
			return fmt.Errorf("%s answers wrongly: %w", s.name, err)
		}
		for d, port := range s.ports[:spoken] {
			scheme := "http"
			if variant(d) == tlsPort {
				scheme = "https"
			}
			if err := answers(scheme+"://127.0.0.1:"+strconv.Itoa(port), variant(d)); err != nil {
				return fmt.Errorf("%s answers wrongly: %w", s.name, err)
			}
		}
		if err := r.logs(s); err != nil {
			return err
		}
	}
	return nil
}

// spoke asks once for the path of each case of other protocols that the server can.
func spoke(s *server) error {
	for i := range cases {
		c := &cases[i]
		if c.variant != spoken || !c.can(s) {
			continue
		}
		req, _ := http.NewRequest("GET", "http://127.0.0.1:"+strconv.Itoa(s.ports[spoken])+c.path, nil)
		if err := whole(req, small, nil); err != nil {
			return err
		}
	}
	return nil
}

// whole asks once, and looks at the answer's length and, by fields, at its head.
func whole(req *http.Request, n int, fields func(http.Header) error) error {
	res, err := client().Do(req)
	if err != nil {
		return err
	}
	got, err := io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if err != nil || res.StatusCode != 200 || got != int64(n) {
		return fmt.Errorf("%s: status %d, %d bytes, %v", req.URL, res.StatusCode, got, err)
	}
	if fields != nil {
		return fields(res.Header)
	}
	return nil
}

// answers asks for each path once.
func answers(base string, d variant) error {
	for path, n := range bodies {
		method, sent := "GET", io.Reader(nil)
		if path == "/post" {
			method, sent = "POST", strings.NewReader(strings.Repeat("x", 16<<10))
		}
		req, _ := http.NewRequest(method, base+path, sent)
		req.Header.Set("Cookie", strings.TrimPrefix(cookie, "Cookie: "))
		err := whole(req, n, func(h http.Header) error {
			has := h.Get("X-Frame-Options") != "" && h.Get("Strict-Transport-Security") != ""
			if has != (d == edited || d == everything) {
				return fmt.Errorf("%s%s: the fields that were asked for are there: %t", base, path, has)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// logs waits until the access log has the requests of check: each path by two variants.
func (r *rig) logs(s *server) error {
	file := s.name + ".access"
	if s.conf == "haproxy.cfg" {
		file = s.name + ".out"
	}
	want := 2 * len(bodies)
	got := 0
	for range 20 {
		text, _ := os.ReadFile(filepath.Join(r.facts.Run, file))
		if got = bytes.Count(text, []byte("HTTP/1.1\" 200 ")); got == want {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("%s logged %d requests of %d", s.name, got, want)
}
