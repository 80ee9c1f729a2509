package demo

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

//go:embed demo.html
var page string

// member is one of the demonstration's three servers.
type member struct {
	Name, Address string
	served        atomic.Int64 // pages and questions answered
}

// members share their counts, so that whoever answers can show them all.
type members struct {
	all  []*member
	page *template.Template
}

func newMembers(names ...string) *members {
	m := &members{page: template.Must(template.New("demo").Parse(page))}
	for _, n := range names {
		m.all = append(m.all, &member{Name: n})
	}
	return m
}

// serve answers on l as the i-th member until l is closed.
func (m *members) serve(i int, l net.Listener) {
	one := m.all[i]
	one.Address = l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		one.served.Add(1)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		m.page.Execute(w, m.view(one, r))
	})
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		one.served.Add(1)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(m.view(one, r))
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go s.Serve(l)
}

// view is what the page shows.
type view struct {
	Name, Address string // who answered
	Cookie        string // the session's, "" for none
	Counts        []count
}

type count struct {
	Name    string
	Served  int64
	Percent int64
}

func (m *members) view(one *member, r *http.Request) view {
	v := view{Name: one.Name, Address: one.Address}
	if c, err := r.Cookie("ROUTEID"); err == nil {
		v.Cookie = c.Value
	}
	total := int64(0)
	for _, o := range m.all {
		n := o.served.Load()
		total += n
		v.Counts = append(v.Counts, count{Name: o.Name, Served: n})
	}
	for i := range v.Counts {
		v.Counts[i].Percent = v.Counts[i].Served * 100 / max(total, 1)
	}
	return v
}
