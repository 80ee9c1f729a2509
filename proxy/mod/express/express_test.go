package express

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/dbm/dbmtest"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

const preload = "proxy proxy_express"

// mapped answers with what the request is mapped to.
func mapped() site.Module {
	serve := exchange.HandlerFunc(func(_ context.Context, x *exchange.Exchange) error {
		x.Res.Status = 200
		x.Res.Text(x.Filename)
		return nil
	})
	return site.Module{Name: "mapped", Open: func(*directive.Config, *site.Site) (site.Builder, error) {
		return func(_ []*directive.Scope, p *site.Plan) error {
			p.HandlerFor(proxyHandler, serve)
			return nil
		}, nil
	}}
}

func newRig(t *testing.T, conf string) *sitetest.Rig {
	t.Helper()
	return sitetest.New(t, preload, conf, core.Module(), sitetest.Member(), Module(), mapped())
}

// asked is what a request is mapped to; "" for nothing.
func asked(r *sitetest.Rig, request string) string {
	x := r.Get(request)
	defer x.Finish()
	if x.Res.Status != 200 {
		return ""
	}
	return sitetest.Body(x)
}

// tables is a folder with the recorded tables: sd.dir and sd.pag, and db.
func tables(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	dbmtest.SDBM(t, root+"/sd")
	dbmtest.Berkeley(t, root+"/db")
	return root
}

// TestHosts: what httpd 2.4.71 made of these.
func TestHosts(t *testing.T) {
	root := tables(t)
	r := newRig(t, "ProxyExpressEnable On\nProxyExpressDBMFile "+root+"/sd\nProxyExpressDBMType SDBM\n")
	for _, c := range []struct{ request, want string }{
		{"GET /a%20b?c=d HTTP/1.1\nHost: host1.test", "proxy:http://10.0.0.1:80/x/a b"},
		{"GET / HTTP/1.1\nHost: HOST50.test:81", "proxy:http://10.0.0.50:80//"},
		{"GET /x HTTP/1.1\nHost: host201.test", ""},
		{"GET /proxied/x HTTP/1.1\nHost: host1.test", "proxy:http://member/proxied/x"},
	} {
		if got := asked(r, c.request); got != c.want {
			t.Errorf("%s: %s, want %s", c.request, got, c.want)
		}
	}
}

// TestServers: a virtual host that says anything has the default type again, and can't switch off.
func TestServers(t *testing.T) {
	root := tables(t)
	vhost := func(name, conf string) string {
		return "<VirtualHost *:80>\nServerName " + name + ".test\n" + conf + "\n</VirtualHost>\n"
	}
	r := newRig(t, "ProxyExpressEnable On\nProxyExpressDBMFile "+root+"/sd\nProxyExpressDBMType sdbm\n"+
		vhost("host1", "")+
		vhost("host2", "ProxyExpressEnable Off")+
		vhost("host3", "ProxyExpressEnable Off\nProxyExpressDBMType Sdbm")+
		vhost("host4", "ProxyExpressDBMFile "+root+"/db")+
		vhost("host5", "ProxyExpressDBMType ndbm")+
		vhost("host6", "<Location /elsewhere>\nProxyExpressDBMType sdbm\n</Location>")+
		vhost("host7", "ServerAlias host8.test\nUseCanonicalName On"))
	for host, want := range map[string]string{
		"host1": "1:80/x", "host2": "", "host3": "3:80/xxx", "host4": "4:80/xxxx", "host5": "", "host6": "6:80/xxxxxx", "host8": "7:80/xxxxxxx",
	} {
		if want != "" {
			want = "proxy:http://10.0.0." + want + "/p"
		}
		if got := asked(r, "GET /p HTTP/1.1\nHost: "+host+".test"); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

// TestTableChanges: one that comes, goes and is another is seen by the next request.
func TestTableChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	r := newRig(t, "ProxyExpressEnable On\nProxyExpressDBMFile "+path+"\n")
	ask := func(want string) {
		t.Helper()
		if got := asked(r, "GET / HTTP/1.1\nHost: host1.test"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	ask("")
	if log := r.Log.Take(); !strings.Contains(log, "[proxy_express:info] (2)No such file or directory: AH10276: The 'default' file '"+path+"' could not be loaded") {
		t.Error(log)
	}
	dbmtest.Berkeley(t, path)
	ask("proxy:http://10.0.0.1:80/x/")
	os.WriteFile(path, []byte("no table"), 0o600)
	ask("")
	if log := r.Log.Take(); !strings.Contains(log, "could not be loaded") {
		t.Error(log)
	}
	os.Remove(path)
	ask("")
}

// TestDebug: httpd's lines.
func TestDebug(t *testing.T) {
	root := tables(t)
	r := newRig(t, "LogLevel proxy_express:debug\nProxyExpressEnable On\nProxyExpressDBMFile "+root+"/db\n")
	asked(r, "GET /p HTTP/1.1\nHost: host1.test")
	want := "AH01001: proxy_express: Enabled\nAH01002: proxy_express: Opening DBM file: " + root + "/db (default)\nAH01003: proxy_express: looking for host1.test\n" +
		"AH01004: proxy_express: found host1.test -> http://10.0.0.1:80/x\nAH01005: proxy_express: rewritten as: proxy:http://10.0.0.1:80/x/p"
	if log := strings.ReplaceAll(r.Log.Take(), "[proxy_express:debug] ", ""); log != want {
		t.Error(log)
	}
}

// TestNoSuchType: httpd says nothing of a type that is none.
func TestNoSuchType(t *testing.T) {
	c, err := sitetest.Bind(preload, "ProxyExpressDBMType ndbm", core.Module(), Module())
	if err != nil {
		t.Fatal(err)
	}
	if h := c.Hints[len(c.Hints)-1]; h.Name != "ProxyExpressDBMType" || h.Effect != directive.Later {
		t.Error(h)
	}
}

func TestRefused(t *testing.T) {
	for conf, want := range map[string]string{
		"ProxyExpressDBMType gdbm": "ProxyExpressDBMType: dbm type gdbm can't be read here",
		"ProxyExpressDBMType ndbm": "",
		"ProxyExpressEnable maybe": "ProxyExpressEnable must be On or Off",
		"ProxyExpressDBMFile a b":  "ProxyExpressDBMFile takes one argument, Location of ProxyExpressDBMFile file",
	} {
		if got := sitetest.Refused(preload, conf, core.Module(), Module()); got != want {
			t.Errorf("%s: %s, want %s", conf, got, want)
		}
	}
}
