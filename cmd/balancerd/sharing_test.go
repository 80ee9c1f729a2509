package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"balancerd/balancer"
	"balancerd/cmd/balancerd/cli"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy"
	"balancerd/proxy/mod/ssl"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// echo stands in for all members: its answer says what it was asked.
type echo struct{}

func (echo) RoundTrip(_ context.Context, w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error {
	x.Res.Status, x.Res.Proxied = 200, true
	if strings.Contains(x.Req.Path, "missing") {
		x.Res.Status = 404
	}
	x.Res.Header.Add("Location", w.Name()+"/moved")
	x.Res.Header.Add("Content-Type", "text/x-member")
	x.Res.Header.Add("X-Call", fmt.Sprint(c.TLS != nil, c.Timeout, c.Via != nil, c.GivesUp != nil))
	x.Res.Text(w.Name() + " was asked for " + x.Filename + fmt.Sprint(x.Req.Header.F))
	return nil
}

// modulesOver are the program's modules with members that echo, for a load of their own. Without shares, every
// Builder is given whole chains, so that no two chains share what it adds.
func modulesOver(t *testing.T, shares bool) []site.Module {
	t.Helper()
	o, err := cli.Parse([]string{"balancerd", "-d", t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	l := newLoader(cli.NewCommand(o, io.Discard, io.Discard))
	l.store.Folder(t.TempDir())
	for i := range l.modules {
		m := &l.modules[i]
		if m.Name == "proxy" && len(m.Table) > 0 {
			*m = proxy.Module(l.farm, echo{}, ssl.Secure)
		}
		if !shares {
			m.Reads = nil
		}
	}
	return l.modules
}

// lines are directives that may stand anywhere, those of servers alone, and those of sections alone.
var lines = struct{ any, server, section []string }{
	any: []string{
		"Header set X-A a%d", "Header append X-A b%d", "Header always add X-B c%d", "Header unset X-A", "Header edit X-A a b%d", "Header set X-Type t%d \"expr=-z req('X')\"",
		"RequestHeader set X-R r%d", "RequestHeader append X-R s%d", "SetEnv e%d v", "UnsetEnv e1", "SetEnvIf Request_URI a s%d", "SetEnvIfNoCase X y t%d=1",
		"ErrorDocument 404 \"no %d\"", "ErrorDocument 403 /a/error.html", "ErrorDocument 401 \"who %d\"", "LimitRequestBody %d", "LogLevel debug", "LogLevel authz_core:debug", "LogLevel error",
		"UseCanonicalName On", "ServerSignature On", "ForceType text/x%d", "AddType text/y%d .txt", "AddDefaultCharset utf-8", "AddHandler h%d .txt", "AddCharset x%d .html", "DirectoryIndex b.txt index.html", "DirectoryIndex disabled",
		"FallbackResource /a/index.html", "ProxyErrorOverride On", "ProxyPreserveHost On", "ProxyAddHeaders Off", "H2EarlyHint Link x%d", "FileETag None", "AcceptPathInfo Off",
		"RewriteEngine On", "RewriteEngine Off", "RewriteOptions Inherit", "RewriteOptions InheritDownBefore", "RewriteOptions AllowNoSlash", "RewriteRule a$ /b%d [R]", "RewriteRule ^ - [E=w%d:1]",
		"RewriteCond %{HTTP_HOST} a\nRewriteRule x - [F]", "RewriteRule txt$ - [T=text/w%d]", "Redirect /moved%d http://else/%d", "Redirect gone /gone", "ContentDigest On", "CacheHeader On", "CacheDetailHeader On", "CacheStaleOnError Off", "CacheIgnoreNoLastMod On",
		"ProxyFCGIBackendType GENERIC", "ProxyFCGISetEnvIf true F%d v", "Action text/html /p%d virtual", "Action h%d /q", "Script PUT /r%d", "CGIVar REQUEST_URI current-uri", "QualifyRedirectURL On",
		"SetOutputFilter DEFLATE", "SetOutputFilter Sed", "SetOutputFilter SUBSTITUTE;NOPE%d", "SetInputFilter DEFLATE", "AddOutputFilter SUBSTITUTE txt", "RemoveOutputFilter txt", "AddOutputFilterByType DEFLATE text/html text/y%d",
		"FilterDeclare f%d\nFilterProvider f%d SUBSTITUTE true\nFilterChain f%d", "FilterChain @f%d", "FilterChain !", "FilterChain =f%d", "Substitute s/a/%d/n", "ProxyHTMLEnable On", "ProxyHTMLURLMap /a /b%d", "ProxyHTMLURLMap m /c%d Rl", "ProxyHTMLLinks a href", "ProxyHTMLExtended On", "ProxyHTMLFixups reset", "ProxyHTMLCharsetOut ISO-8859-%d", "SetEnv PROXY_HTML_FORCE 1", "xml2EncDefault UTF-8", "Substitute s/e/<$0>/q", "SubstituteInheritBefore On",
		"SubstituteMaxLineLength 1%d", "ExpiresActive On", "ExpiresActive Off", "ExpiresDefault A%d", "ExpiresByType text/* A1%d", "ExpiresByType text/html A2%d", "DeflateInflateRatioLimit 1%d", "SetEnv force-gzip 1",
	},
	server: []string{
		"ProxyPass /p%d/ http://m1:80/x%d/", "ProxyPass /bal%d/ balancer://b1/", "ProxyPass /no !", "ProxyPassMatch ^/q(.*) http://m2:80/$1", "Alias /alias%d {root}/a", "ProxyPass /enc/ http://m1:80/e/ mapping=encoded",
		"ProxyVia On", "SSLVerifyClient require", "ProxyPassReverse /back%d http://m1:80/", "SSLProxyVerify none", "SSLProxyEngine On", "RequestHeader set X-Early e%d early", "Header set X-Early e%d early", "DocumentRoot {root}", "AllowEncodedSlashes On", "ServerAdmin a%d@x", "MergeSlashes Off", "CacheEnable socache /p%d", "CacheEnable socache /\nCacheSocache shmcb", "CacheQuickHandler Off", "CacheDisable /p1",
		"RemoteIPHeader X", "RemoteIPProxiesHeader X-By%d", "RemoteIPInternalProxy 127.0.0.0/8", "RemoteIPTrustedProxy 10.%d.0.0/16",
		"ProxyExpressEnable On\nProxyExpressDBMFile {root}/t%d\nProxyExpressDBMType sdbm", "ProxyExpressDBMFile {root}/t%d",
		"DeflateAlterEtag Remove", "DeflateFilterNote ratio n%d", "BrotliAlterETag NoChange",
	},
	section: []string{
		"CGIPassAuth On", "RewriteBase /base%d", "Require all granted", "Require all denied", "Require ip 127.0.0.1", "Require expr %{HTTP_HOST} == 'a'", "Require user u%d", "AuthType Basic\nAuthName n%d\nRequire user u1", "AuthUserFile {root}/users", "AuthType Basic", "AuthName n%d", "AuthUserFile {root}/users", "Satisfy Any", "AuthMerging Or",
		"Order deny,allow\nDeny from all", "Allow from 127.0.0.1", "SetHandler h%d", "SetHandler none", "SetHandler \"proxy:http://m3:80/h%d\"", "SetHandler default-handler", "Options +Indexes", "Options -FollowSymLinks", "Options None",
		"<RequireAny>\nRequire env e%d\nRequire ip 10.0.0.0/8\n</RequireAny>", "AuthzSendForbiddenOnFailure On", "Redirect http://else/%d", "Alias {root}/a", "SSLRequireSSL", "CacheMaxExpire %d", "OutputSed s/a/%d/", "InputSed s/a/%d/",
	},
}

type writer struct {
	*rand.Rand
	root string
}

func (w writer) one(list []string) string { return list[w.IntN(len(list))] }

func (w writer) line(list []string) string {
	text := strings.ReplaceAll(w.one(list), "{root}", w.root)
	return strings.ReplaceAll(text, "%d", fmt.Sprint(w.IntN(4))) + "\n"
}

func (w writer) lines(most int, lists ...[]string) (text string) {
	for range w.IntN(most + 1) {
		text += w.line(lists[w.IntN(len(lists))])
	}
	return text
}

// section is a section with what it says; depth is how many may still stand inside of each other.
func (w writer) section(depth int) string {
	open := w.one([]string{"Location /a", "Location /p1/", "Location \"/b*\"", "Location /", "LocationMatch \"^/(?<first>a|b)\"", "Directory {root}", "Directory {root}/a", "Directory \"{root}/*\"", "Files index.html", "Files *.txt",
		"Proxy http://m1:80/", "Proxy *", "ProxyMatch balancer", "If \"%{REQUEST_URI} =~ m#a#\"", "If \"-n '%{HTTP:X}'\""})
	kind, _, _ := strings.Cut(open, " ")
	text := "<" + strings.ReplaceAll(open, "{root}", w.root) + ">\n" + w.lines(3, lines.any, lines.section)
	if kind == "Location" && w.IntN(4) == 0 {
		text += w.line([]string{"ProxyPass http://m4:80/in%d/", "ProxyPass balancer://b1/in%d/", "ProxyPassReverse http://m4:80/"})
	}
	if kind == "Proxy" && w.IntN(2) == 0 {
		text = "<" + open + ">\n" + w.line([]string{"SSLProxyEngine Off", "SSLProxyEngine On"})
	}
	if depth > 0 && kind == "Directory" {
		text += "<Files *.html>\n" + w.lines(2, lines.any, lines.section) + "</Files>\n"
	}
	if depth > 0 && kind != "If" && w.IntN(3) == 0 {
		text += "<If \"%{REQUEST_URI} =~ m#b#\">\n" + w.lines(2, lines.any, lines.section) + "</If>\n<Else>\n" + w.lines(1, lines.any) + "</Else>\n"
	}
	return text + "</" + kind + ">\n"
}

func (w writer) server() (text string) {
	text = w.lines(5, lines.any, lines.server)
	for range w.IntN(6) {
		text += w.section(1)
	}
	return text
}

func (w writer) configuration() string {
	text := "ErrorLog /dev/null\nDocumentRoot " + w.root + "\n<Proxy balancer://b1>\nBalancerMember http://m5:80\n</Proxy>\n" + w.server()
	for i := range w.IntN(4) {
		text += fmt.Sprintf("<VirtualHost *:80>\nServerName h%d\n%s</VirtualHost>\n", i, w.server())
	}
	return text
}

func (w writer) request() string {
	path := w.one([]string{"/", "/a", "/a/", "/a/index.html", "/a/b.txt", "/b.txt", "/a/missing", "/p1/x", "/p2/missing", "/bal1/a", "/q/a", "/alias1/b.txt", "/moved1", "/gone", "/no", "/enc/a%2fb", "/a//b.txt", "/b/a"})
	text := w.one([]string{"GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "TRACE"}) + " " + path + " HTTP/1.1\nHost: h" + fmt.Sprint(w.IntN(4)) + "\n"
	for _, f := range []string{"X: y\n", "Authorization: Basic dTE6c2VjcmV0\n", "User-Agent: a\n"} {
		if w.IntN(3) == 0 {
			text += f
		}
	}
	return text
}

// outcome is what came of a request: the answer, how it was mapped, its variables and the error log.
func outcome(r *sitetest.Rig, text string) string {
	x := r.Get(text)
	defer r.Site.Done(context.Background(), x)
	var env []string
	for i := range x.Env.Len() {
		name, value := x.Env.At(i)
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	steps := ""
	if p := site.PlanOf(x); p != nil {
		for phase := site.Early; phase <= site.Log; phase++ {
			for _, s := range p.Steps(phase) {
				steps += s.Module + " " + s.Name + ", "
			}
		}
	}
	body := sitetest.Body(x)
	return fmt.Sprintf("%d %q %q %q\n%v\n%v\n%q\n%v\n%s\n%s", x.Res.Status, x.Filename, x.Handler, x.User, x.Res.Header.F, x.Res.Always.F, body, env, steps, r.Log.Take())
}

const everything = "actions cache cache_disk cache_socache socache_shmcb authn_core authn_file authz_core authz_host authz_user access_compat auth_basic alias dir mime env rewrite setenvif headers proxy proxy_http proxy_balancer proxy_fcgi lbmethod_byrequests slotmem_shm ssl http2 log_config autoindex status deflate brotli filter substitute sed expires proxy_html xml2enc"

// TestSharingChangesNothing: what modules add to plans is shared by all chains of sections that do not differ in
// what Module.Reads names. On random configurations and requests nothing else comes of it than of plans that
// share nothing.
func TestSharingChangesNothing(t *testing.T) {
	root := t.TempDir()
	os.MkdirAll(filepath.Join(root, "a"), 0o755)
	for name, text := range map[string]string{"a/index.html": "index", "a/b.txt": "b of a", "b.txt": "b", "a/error.html": "an error", "users": "u1:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(filepath.Join(root, name), sitetest.Old, sitetest.Old) // a new file's tag is weak for a second
	}
	w := writer{rand.New(rand.NewPCG(9, 10)), root}
	loaded, served := 0, map[int]int{}
	for range 150 {
		conf := w.configuration()
		if sitetest.Refused(everything, conf, modulesOver(t, true)...) != "" {
			continue // two lines of it do not go together
		}
		loaded++
		sharing := sitetest.New(t, everything, conf, modulesOver(t, true)...)
		apart := sitetest.New(t, everything, conf, modulesOver(t, false)...)
		for range 40 {
			text := w.request()
			got, want := outcome(sharing, text), outcome(apart, text)
			if got != want {
				t.Fatalf("%s\n%s\nwith plans that share:\n%s\nand that do not:\n%s", conf, text, got, want)
			}
			var status int
			fmt.Sscan(got, &status)
			served[status]++
		}
		sharing.Site.Close()
		apart.Site.Close()
	}
	if loaded < 75 || len(served) < 6 {
		t.Errorf("%d configurations were in force, and answered %v", loaded, served)
	}
}
