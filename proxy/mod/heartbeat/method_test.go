package heartbeat

import (
	"os"
	"testing"
	"time"

	"balancerd/balancer/method"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// TestStorageOfTheSiteInForce: the method reads the file that the directive names, from its site's commit on.
func TestStorageOfTheSiteInForce(t *testing.T) {
	file := t.TempDir() + "/hb"
	if err := os.WriteFile(file, []byte("not a line of mod_heartmonitor\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file+".d", 0o755); err != nil {
		t.Fatal(err)
	}
	h := &method.Heartbeat{}
	m := Module(h)
	load := func(conf string) *site.Site {
		c, err := sitetest.Bind("lbmethod_heartbeat", conf, m)
		if err != nil {
			t.Fatal(err)
		}
		st := &site.Site{}
		if _, err := m.Open(c, st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	read := func() error {
		_, err := h.Method().Data(time.Now())
		return err
	}
	load("HeartbeatStorage " + file + "\n").Commit()
	if err := read(); err != nil {
		t.Error(err)
	}
	next := load("HeartbeatStorage " + file + ".d\n") // a folder can't be read
	if err := read(); err != nil {
		t.Error("the file of a site that is not in force: ", err)
	}
	next.Commit()
	if read() == nil {
		t.Error("still the file of the site before")
	}
}
