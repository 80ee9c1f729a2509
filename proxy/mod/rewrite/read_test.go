package rewrite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"balancerd/proxy/site/sitetest"
)

// TestMessages: what httpd 2.4.71 says of each line; "" for nothing.
func TestMessages(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "map"), nil, 0o600)
	for conf, want := range map[string]string{
		"RewriteEngine maybe":        "RewriteEngine must be On or Off",
		"RewriteOptions Foo":         "RewriteOptions: unknown option 'Foo'",
		"RewriteOptions inherit FOO": "RewriteOptions: unknown option 'FOO'",
		"RewriteOptions Inherit InheritBefore INHERITDOWN InheritDownBefore IgnoreInherit AllowNoSlash AllowAnyURI MergeBase IgnoreContextInfo LegacyPrefixDocRoot UnsafePrefixStat": "",
		"RewriteOptions LongURLOptimization":                "RewriteOptions: unknown option 'LongURLOptimization'",
		"RewriteBase /x":                                    "RewriteBase: only valid in per-directory config files",
		"<Location /x>\nRewriteBase x\n</Location>":         "RewriteBase: argument is not a valid URL",
		"<Location /x>\nRewriteBase \"\"\n</Location>":      "RewriteBase takes one argument, the base URL of the per-directory context",
		"<Location /x>\nRewriteMap a int:x\n</Location>":    "RewriteMap not allowed in <Location> context",
		"RewriteMap a int:foo":                              "RewriteMap: internal map not found:foo",
		"RewriteMap a INT:tolower":                          "",
		"RewriteMap a int:ToLower":                          "RewriteMap: internal map not found:ToLower",
		"RewriteMap a rnd:nope":                             "RewriteMap: file for map a not found:/nope",
		"RewriteMap a nope":                                 "RewriteMap: file for map a not found:/nope",
		"RewriteMap a " + dir + "/map":                      "",
		"RewriteMap a TXT:" + dir + "/map":                  "",
		"RewriteMap a dbm=foo:/nope":                        "RewriteMap: dbm type foo is invalid",
		"RewriteMap a dbm":                                  "RewriteMap: bad map:dbm",
		"RewriteMap a dbm=sdbm":                             "RewriteMap: bad map:dbm=sdbm",
		"RewriteMap a dbm=sdbm:nope":                        "RewriteMap: file for map a not found:/nope.dir",
		"RewriteMap a dbm:nope":                             "RewriteMap: file for map a not found:/nope",
		"RewriteMap a dbd:x":                                "RewriteMap types dbd and fastdbd require mod_dbd!",
		"RewriteMap a fastdbd:x":                            "RewriteMap types dbd and fastdbd require mod_dbd!",
		"RewriteMap a prg:/nope":                            "RewriteMap: file for map a not found:/nope",
		"RewriteCond a":                                     "RewriteCond: bad argument line 'a'",
		"RewriteCond a (":                                   "RewriteCond: cannot compile regular expression '('",
		"RewriteCond a !(":                                  "RewriteCond: cannot compile regular expression '('",
		"RewriteCond a b [X]":                               "RewriteCond: unknown flag 'X'",
		"RewriteCond a b [NC, OR]":                          "RewriteCond: bad flag delimiters",
		"RewriteCond a b \"[NC, OR , nv ]\"":                "",
		"RewriteCond a -eq 5":                               "RewriteCond: bad flag delimiters",
		"RewriteCond a -f(":                                 "RewriteCond: cannot compile regular expression '-f('",
		"RewriteCond expr \"file('/etc/hostname') =~ /x/\"": "",
		"RewriteRule ( b":                                   "RewriteRule: cannot compile regular expression '('",
		"RewriteRule a b X":                                 "RewriteRule: bad flag delimiters",
		"RewriteRule a b [":                                 "RewriteRule: bad flag delimiters",
		"RewriteRule a b []":                                "RewriteRule: unknown flag ''",
		"RewriteRule a b [L,]":                              "RewriteRule: unknown flag ''",
		"RewriteRule a b [X]":                               "RewriteRule: unknown flag 'X'",
		"RewriteRule a b [NX=5]":                            "RewriteRule: unknown flag 'NX'",
		"RewriteRule a b [R=999]":                           "RewriteRule: invalid HTTP response code '999' for flag 'R'",
		"RewriteRule a b [R=306]":                           "RewriteRule: invalid HTTP response code '306' for flag 'R'",
		"RewriteRule a b [R=4x4]":                           "RewriteRule: invalid HTTP response code '4x4' for flag 'R'",
		"RewriteRule a b [R=500]":                           "",
		"RewriteRule a b [BNE]":                             "RewriteRule: flag 'BNE' wants a list of characters (i.e. [BNE=...])",
		"RewriteRule \"a b":                                 "RewriteRule: bad argument line '\"a b'",
		"RewriteRule a \"b c":                               "",
		"RewriteRule a":                                     "RewriteRule: bad argument line 'a'",
		"RewriteRule a b [backrefnoplus]":                   "RewriteRule: unknown flag 'backrefnoplus'",
		"RewriteRule a b [R = 301]":                         "RewriteRule: bad flag delimiters",
		"RewriteRule a b \"[R = 301]\"":                     "RewriteRule: unknown flag 'R '",
		"RewriteRule a b [DX,R=foo,Dumb=1]":                 "",
		"RewriteRule a b [L] junk":                          "",
		"RewriteRule a b[L]":                                "",
		"RewriteRule a b \"[ L , R ]\"":                     "",
		"RewriteRule a b [chain,cookie=a,discardpath,env=a,end,forbidden,gone,handler=a,last,next=5,nocase,noescape,nosubreq,passthrough]":                    "",
		"RewriteRule a b [proxy,qsappend,qsdiscard,qslast,redirect,skip=1,type=a/b,backrefescaping,backrefernoplus,BCTLS,UNC,UnsafeAllow3F,UnsafePrefixStat]": "",
	} {
		if got := refused(conf); got != want {
			t.Errorf("%s:\n got %s\nwant %s", conf, got, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	c, err := sitetest.Bind(preload, "RewriteOptions Inherit MaxRedirects=10\nRewriteCond a -f [NC]\nRewriteCond a \"-gt 4\" [NC]\nRewriteCond a =b [NC]\n", modules()...)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range c.Warnings {
		got = append(got, w.Msg)
	}
	want := []string{
		"AH00664: RewriteOptions: MaxRedirects option has been removed in favor of the global LimitInternalRecursion directive and will be ignored.",
		"AH00665: RewriteCond: NoCase option for non-regex pattern '-f' is not supported and will be ignored. (test.conf:7)",
		"AH00665: RewriteCond: NoCase option for non-regex pattern ' 4' is not supported and will be ignored. (test.conf:8)",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestHostIsTheConfigurations: what a request brings does not become part of a member's name.
func TestHostIsTheConfigurations(t *testing.T) {
	r := newRig(t, `
RewriteEngine On
RewriteRule ^/a(.*)$ http://member$1 [P]
RewriteRule ^/b(.*)$ http://member:8080$1?x [P]
RewriteRule ^/c(.*)$ http://member$1/x [P]
RewriteRule ^/d/(.*)$ http://$1 [P]
RewriteRule ^/e/(.*)/(.*)$ http://app-$1.member/$2 [P]
RewriteRule ^/f(.*)$ balancer://b$1 [P]
RewriteRule ^/g(.*)$ http://else$1 [R,L]
RewriteRule ^/h http://member%{REQUEST_URI} [P]
RewriteRule ^/i - [R=101]
`)
	for path, want := range map[string]string{
		"/a/x": "200 proxy:http://member/x", "/a": "200 proxy:http://member", "/a@evil/": "400", "/a.evil/": "400", "/a:1/": "400", "/a%3F": "403",
		"/b/x": "200 proxy:http://member:8080/x?x", "/b1/x": "400", "/b@evil/": "400", "/b": "200 proxy:http://member:8080?x", "/c@evil": "200 proxy:http://member@evil/x", "/d/any/x": "200 proxy:http://any/x", "/e/n/x": "200 proxy:http://app-n.member/x",
		"/f/x": "200 proxy:balancer://b/x", "/f.c/x": "400", "/g.evil": "302 http://else.evil", "/h": "200 proxy:http://member/h", "/i": "500",
	} {
		if got := outcomeOf(r, "GET "+path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestProxyThatIsNotLoaded(t *testing.T) {
	r := sitetest.New(t, "rewrite", "RewriteEngine On\nRewriteRule ^/a http://m/x [P]\n<Location /b>\nRewriteRule ^ http://m/x [P]\n</Location>\n", modules()...)
	for path, want := range map[string]string{"/a": "AH00669", "/b": "AH10160"} {
		got := outcomeOf(r, "GET "+path)
		if log := r.Log.Take(); got != "403" || !strings.Contains(log, want+": attempt to make remote request from mod_rewrite without proxy enabled: proxy:http://m/x") {
			t.Error(path, got, log)
		}
	}
}

// TestSkipsOfOddSizes: what httpd 2.4.71 answered.
func TestSkipsOfOddSizes(t *testing.T) {
	for number, want := range map[string]string{
		"1": "two", "-1": "one", "4294967297": "two", "2147483648": "one", "9223372036854775807": "one", "-9223372036854775808": "one", "1073741825": "", "2147483647": "",
	} {
		r := newRig(t, "RewriteEngine On\nRewriteRule . - [S="+number+"]\nRewriteRule . http://one.test/ [R,L]\nRewriteRule . http://two.test/ [R,L]\n")
		if want = "302 http://" + want + ".test/"; want == "302 http://.test/" {
			want = "200 /x"
		}
		if got := outcomeOf(r, "GET /x"); got != want {
			t.Errorf("S=%s: %s, want %s", number, got, want)
		}
	}
}
