package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// member is a real HTTP server on loopback that echoes what it was asked, or answers as told.
type member struct {
	t    *testing.T
	name string
	port int

	mu    sync.Mutex // guards what follows
	rules []rule
	srv   *http.Server
	l     net.Listener
	tls   *tls.Config // nil: plain
}

type rule struct {
	prefix, status string
	header         []string
	body           string
}

// answer has requests below prefix answered with a status, header lines and a body after "|".
func (m *member) answer(prefix, status, rest string) {
	fields, body, _ := strings.Cut(rest, "|")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rules = append([]rule{{prefix, status, strings.Split(strings.TrimSpace(fields), "\n"), body}}, m.rules...)
}

func (m *member) start() {
	l := m.listen()
	srv := &http.Server{Handler: m, ErrorLog: log.New(io.Discard, "", 0), Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	m.mu.Lock()
	m.srv, m.l = srv, l
	if m.tls != nil {
		m.tls.NextProtos = []string{"h2", "http/1.1"}
		l = tls.NewListener(l, m.tls)
	}
	m.mu.Unlock()
	go srv.Serve(l)
}

// listen opens the member's port. A program that another test is just starting has all sockets of this process open for a
// moment, those that were closed meanwhile, too.
func (m *member) listen() net.Listener {
	m.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", m.port))
		switch {
		case err == nil:
			return l
		case !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(end):
			m.t.Fatal(err)
		}
	}
}

// stop refuses connections and drops the open ones.
func (m *member) stop() {
	m.mu.Lock()
	srv, l := m.srv, m.l
	m.srv, m.l = nil, nil
	m.mu.Unlock()
	if srv != nil {
		l.Close() // Serve, which the server would close it by, need not have begun
		srv.Close()
	}
}

func (m *member) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Backend", m.name)
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	rules := m.rules
	m.mu.Unlock()
	for _, rule := range rules {
		if strings.HasPrefix(r.RequestURI, rule.prefix) {
			if rule.status == "raw" {
				rule.wire(w)
				return
			}
			rule.write(w)
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, "%s %s %s\nHost: %s\n", m.name, r.Method, r.RequestURI, r.Host)
	if r.TLS != nil {
		fmt.Fprintf(w, "%s server name %q", tls.VersionName(r.TLS.Version), r.TLS.ServerName)
		for _, c := range r.TLS.PeerCertificates {
			fmt.Fprintf(w, ", shown %s", c.Subject.CommonName)
		}
		fmt.Fprintln(w)
	}
	if r.ProtoMajor == 2 {
		fmt.Fprintln(w, r.Proto)
	}
	var lines []string
	for k, v := range r.Header {
		if k != "Connection" {
			lines = append(lines, k+": "+strings.Join(v, " & ")+"\n")
		}
	}
	sort.Strings(lines)
	fmt.Fprintf(w, "%sbody %d %.200s\n", strings.Join(lines, ""), len(body), body)
}

func (r *rule) write(w http.ResponseWriter) {
	for _, f := range r.header {
		if k, v, ok := strings.Cut(f, ":"); ok {
			w.Header().Add(strings.TrimSpace(k), strings.TrimSpace(v))
		}
	}
	var status int
	fmt.Sscan(r.status, &status)
	w.WriteHeader(status)
	io.WriteString(w, r.body)
}
