package mpm

import (
	"testing"
	"time"

	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

func modules() []site.Module { return []site.Module{core.Module(), Module("/run/httpd.pid")} }

func TestSettings(t *testing.T) {
	g := sitetest.New(t, "", "", modules()...).Site.Settings
	if g.PidFile != "/run/httpd.pid" || g.Backlog != 511 || g.ThreadsPerChild != 25 || g.MaxWorkers != 400 || g.GracefulTimeout != 0 {
		t.Errorf("%+v", g)
	}
	g = sitetest.New(t, "", "PidFile x.pid\nListenBacklog 5\nSendBufferSize 600\nReceiveBufferSize 0\nGracefulShutdownTimeout 3\nThreadsPerChild 7\nMaxClients 8\nUser #5\nGroup #6",
		modules()...).Site.Settings
	if g.PidFile != "/x.pid" || g.Backlog != 5 || g.SendBuffer != 600 || g.ReceiveBuffer != 0 || g.GracefulTimeout != 3*time.Second ||
		g.ThreadsPerChild != 7 || g.MaxWorkers != 8 || g.User != "#5" || g.Group != "#6" {
		t.Errorf("%+v", g)
	}
}

func TestListen(t *testing.T) {
	r := sitetest.New(t, "", "Listen [::1]:443\nListen *:81 HTTPS\nListen localhost:82", modules()...)
	want := []string{"127.0.0.1:80 http", "[::1]:443 https", "[::]:81 https", "localhost:82 http"}
	for i, l := range r.Site.Listeners {
		if got := l.Address + " " + l.Proto; got != want[i] {
			t.Errorf("%s, want %s", got, want[i])
		}
	}
}

func TestRefused(t *testing.T) {
	for conf, want := range map[string]string{
		"Listen localhost":                                "Port must be specified",
		"Listen 127.0.0.1:0":                              "Invalid address or port",
		"Listen 127.0.0.1:80":                             "Cannot define multiple Listeners on the same IP:port",
		"Listen a..b:81":                                  "Listen setup failed",
		"Listen 1 2 3":                                    "Listen requires 1 or 2 arguments.",
		"ListenBacklog 0":                                 "ListenBacklog must be > 0",
		"SendBufferSize 511":                              "SendBufferSize must be >= 512 bytes, or 0 for system default.",
		"<VirtualHost *>\nPidFile x\n</VirtualHost>":      "PidFile cannot occur within <VirtualHost> section",
		"<VirtualHost *>\nMaxClients 500\n</VirtualHost>": "MaxClients cannot occur within <VirtualHost> section",
	} {
		if got := sitetest.Refused("", conf, modules()...); got != want {
			t.Errorf("%s: %s, want %s", conf, got, want)
		}
	}
}
