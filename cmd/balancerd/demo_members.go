package main

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
var demoPage string

// demoMember is one of the demonstration's three servers.
type demoMember struct {
	Name, Address string
	served        atomic.Int64 // pages and questions answered
}

// demoMembers share their counts, so that whoever answers can show them all.
type demoMembers struct {
	all  []*demoMember
	page *template.Template
}

func newDemoMembers(names ...string) *demoMembers {
	m := &demoMembers{page: template.Must(template.New("demo").Parse(demoPage))}
	for _, n := range names {
		m.all = append(m.all, &demoMember{Name: n})
	}
	return m
}

// serve answers on l as the i-th member until l is closed.
func (m *demoMembers) serve(i int, l net.Listener) {
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

// demoView is what the page shows.
type demoView struct {
	Name, Address string // who answered
	Cookie        string // the session's, "" for none
	Counts        []demoCount
}

type demoCount struct {
	Name    string
	Served  int64
	Percent int64
}

func (m *demoMembers) view(one *demoMember, r *http.Request) demoView {
	v := demoView{Name: one.Name, Address: one.Address}
	if c, err := r.Cookie("ROUTEID"); err == nil {
		v.Cookie = c.Value
	}
	total := int64(0)
	for _, o := range m.all {
		n := o.served.Load()
		total += n
		v.Counts = append(v.Counts, demoCount{Name: o.Name, Served: n})
	}
	for i := range v.Counts {
		v.Counts[i].Percent = v.Counts[i].Served * 100 / max(total, 1)
	}
	return v
}
