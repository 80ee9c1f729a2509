package core

import "testing"

func TestHostID(t *testing.T) {
	// The main server of an httpd with ServerName lb.test showed [p59bfe437_app].
	if id := hostID("", "0.0.0.0", 0, "lb.test"); id != "p59bfe437" {
		t.Error(id)
	}
	if hostID("*", "0.0.0.0", 80, "a") == hostID("*", "0.0.0.0", 81, "a") {
		t.Error("the port does not count")
	}
}
