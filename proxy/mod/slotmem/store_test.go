package slotmem

import (
	"context"
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/site"
)

// TestFolderOfTheSiteInForce: the first folder counts at once, another one from its site's commit on; a check, or a
// site without a folder, changes nothing.
func TestFolderOfTheSiteInForce(t *testing.T) {
	s := &Store{}
	m := Module(s)
	open := func(folder string, checking bool) *site.Site {
		st := &site.Site{Checking: checking}
		s.Folder(folder)
		if _, err := m.Open(nil, st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	kept := func() int {
		list, err := s.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	save := func(name string) {
		if err := s.SaveSettings(context.Background(), []balancer.SettingsRecord{{VHost: "p1", Balancer: name}}); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveStates(context.Background(), []balancer.StateRecord{{VHost: "p1", Balancer: name}}); err != nil {
			t.Fatal(err)
		}
	}
	save("balancer://lost")
	one, two := t.TempDir(), t.TempDir()
	open(one, true)
	if save("balancer://lost"); kept() != 0 {
		t.Error("kept without a folder")
	}
	open(one, false)
	if save("balancer://a"); kept() != 1 {
		t.Error("not kept in the first folder: ", kept())
	}
	next := open(two, false)
	if kept() != 1 {
		t.Error("the folder of a site that is not in force")
	}
	next.Commit()
	if kept() != 0 {
		t.Error("still the folder of the site before")
	}
	open("", false).Commit()
	if save("balancer://b"); kept() != 1 {
		t.Error("not kept in the second folder: ", kept())
	}
}
