package upstream_test

import (
	"strconv"
	"strings"
	"testing"

	"balancerd/balancer"
	"balancerd/proxy/backend"
	"balancerd/proxy/exchange"
	"balancerd/proxy/mod/proxy/proxytest"
)

// mapped is "worker target" of each request, or its status when nobody was asked.
func mapped(t *testing.T, conf string, targets string) string {
	t.Helper()
	var where string
	r := proxytest.New(t, conf, func(w *balancer.Worker, x *exchange.Exchange, c *backend.Call) error {
		host := w.URL()
		if w.Address().Varies {
			host += "=" + c.Scheme + "://" + c.Host + ":" + strconv.Itoa(int(c.Port))
		}
		where = host + " " + x.Out.Target
		return nil
	})
	var b strings.Builder
	for _, target := range strings.Fields(targets) {
		where = ""
		x := r.Get("GET " + target + " HTTP/1.1")
		if where == "" {
			where = exchange.Status(x.Res.Status).Error()
		}
		b.WriteString(target + " -> " + where + "\n")
	}
	return b.String()
}

func TestMapping(t *testing.T) {
	for _, c := range []struct{ name, conf, want string }{
		{"concatenation", "ProxyPass /a http://h/x/", `
/a -> http://h/x/ /x/
/a/ -> http://h/x/ /x//
/a/b -> http://h/x/ /x//b
/ab -> 404 Not Found
/A/b -> 404 Not Found
//a///b -> http://h/x/ /x//b
/a?q=1 -> http://h/x/ /x/?q=1
/a/b?x=%2F&y=<>" -> http://h/x/ /x//b?x=%2F&y=<>"
/a/./c/../b -> http://h/x/ /x//b`},
		{"no slash behind", "ProxyPass /a http://h/x", "/a -> http://h/x /x\n/a/b -> http://h/x /x/b"},
		{"slash in front only", "ProxyPass /a/ http://h/x", "/a -> 404 Not Found\n/a/b -> http://h/x /xb\n/a/ -> http://h/x /x"},
		{"no path", "ProxyPass /a http://h", "/a -> http://h /\n/a/b -> http://h /b"},
		{"the rest becomes part of the host", "ProxyPass / http://h", "/x -> proxy:reverse=http://hx:80 /\n/x/y -> proxy:reverse=http://hx:80 /y"},
		{"the rest becomes part of the port", "ProxyPass / http://h:8080", "/x -> proxy:reverse=http://h:8080x:80 /\n/1 -> 400 Bad Request"},
		{"a query in the URL", "ProxyPass /a http://h/x?f=1", "/a/b?q -> proxy:reverse=http://h:80 /x%3Ff=1/b?q"},
		{"order", "ProxyPass /s !\nProxyPass /api/v2 http://two/2\nProxyPass /api http://one/1", `
/s/x -> 404 Not Found
/api/v2/x -> http://two/2 /2/x
/api/v2x -> http://one/1 /1/v2x
/api -> http://one/1 /1
/apix -> 404 Not Found`},
		{"encoding", "ProxyPass / http://h/", `
/%41%7e~ -> http://h/ /A~~
/a%20b -> http://h/ /a%20b
/a%25b -> http://h/ /a%25b
/a%252fb -> http://h/ /a%252fb
/a%5cb -> http://h/ /a%5Cb
/a+b?c+d -> http://h/ /a+b?c+d
/%C3%A9 -> http://h/ /%C3%A9
/<>"{}|^ -> http://h/ /%3C%3E%22%7B%7D%7C%5E
/x? -> http://h/ /x?
/x?a?b -> http://h/ /x?a?b
/%2B%3F%23 -> http://h/ /+%3F%23
/a;p=1/b;q -> http://h/ /a;p=1/b;q
/-_.!~*'() -> http://h/ /-_.!~*'()
/[x] -> http://h/ /%5Bx%5D
/*:@&=$, -> http://h/ /*:@&=$,
/%7F -> http://h/ /%7F`},
		{"encoded slashes kept", "AllowEncodedSlashes NoDecode\nProxyPass / http://h/", `
/a%2fb -> http://h/ /a%2fb
/a%2Fb%20 -> http://h/ /a%2Fb%20
/a%25b -> http://h/ /a%25b`},
		{"nocanon", "AllowEncodedSlashes NoDecode\nProxyPass /raw http://h/r nocanon", `
/raw/a%2fb -> http://h/r /r/a%2fb
/raw/%41%7e -> http://h/r /r/%41%7e
/raw/a%20b?q=%20 -> http://h/r /r/a%20b?q=%20
/raw//x//y -> http://h/r /r//x//y
/r%61w/x%20y -> http://h/r /r/x%20y`},
		{"mapping", "ProxyPass /late http://l/late\nProxyPass /enc http://e/e mapping=encoded\nProxyPass /late/enc http://f/e mapping=encoded\nProxyPass /a/b http://s/x mapping=servlet\nProxyPass /s/ http://s/sl/ mapping=servlet", `
/enc/a%2fb -> http://e/e /e/a%2fb
/enc/%41%20b -> http://e/e /e/A%20b
/enc/a%25b?q -> http://e/e /e/a%25b?q
/late/enc/x -> http://f/e /e/x
/late/x -> http://l/late /late/x
/a;x=1/b/c -> http://s/x /x/c
/a/b;x=1/c -> http://s/x /x;x=1/c
/a/b;x=1 -> http://s/x /x
/a/z/../b/c -> http://s/x /x/c
/a/b/../c -> 404 Not Found
/a/b/c;y=2?q -> http://s/x /x/c;y=2?q
/s;v=1/x;w=2/y -> http://s/sl/ /sl/x;w=2/y`},
		{"patterns", `
ProxyPassMatch ^/not/ !
ProxyPassMatch ^/(one)/(.*)$ http://h/$2/$1
ProxyPassMatch ^/whole(/.*)?$ http://h/w$0
ProxyPassMatch ^/nosub http://h/base
ProxyPassMatch "^/lit/(.*)" "http://h/\\$1&"
ProxyPassMatch "^/un(x)?set" http://h/[$1]
ProxyPass ~ ^/tilde/(\w+) http://g/$1
ProxyPassMatch ^/port/(\d+)/(.*) http://127.0.0.1:$1/$2`, `
/not/x -> 404 Not Found
/one/two?q=1 -> http://h/$2/$1 /two/one?q=1
/one/a%20b -> http://h/$2/$1 /a%20b/one
/whole -> http://h/$2/$1 /w/whole
/nosub/y -> http://h/$2/$1 /base/nosub/y
/lit/z -> proxy:reverse=http://h:80 /$1&
/unset -> proxy:reverse=http://h:80 /%5B%5D
/tilde/word/rest -> http://g/$1 /word
/port/8080/deep?x -> http://127.0.0.1$1/$2=http://127.0.0.1:8080 /deep?x`},
		{"balancers", "<Proxy balancer://p>\nBalancerMember http://m\n</Proxy>\n<Proxy balancer://q>\nBalancerMember http://m/m\n</Proxy>\n<Proxy balancer://s>\nBalancerMember http://m/m/\n</Proxy>\n" +
			"ProxyPass /1 balancer://p\nProxyPass /2 balancer://p/\nProxyPass /3 balancer://p/p\nProxyPass /4/ balancer://q/\nProxyPass /5 balancer://Q/q\nProxyPass /6 balancer://s\nProxyPass /7 balancer://s/\nProxyPass /8 balancer://nowhere/\nProxyPass / balancer://p", `
/1 -> http://m /
/1/x?y -> http://m /x?y
/2/x -> http://m //x
/3 -> http://m /p
/3/a%20b -> http://m /p/a%20b
/4/x -> http://m/m /m/x
/5/x -> http://m/m /m/q/x
/6 -> http://m/m/ /m//
/6/x -> http://m/m/ /m//x
/7/x -> http://m/m/ /m///x
/8/x -> 503 Service Unavailable
/other -> 500 Internal Server Error`},
		{"sections", `
<Location /plain>
ProxyPass http://h/loc
</Location>
<Location /plain/deeper>
ProxyPass http://h/deeper
</Location>
<Location /plain/not>
ProxyPass !
</Location>
<LocationMatch "^/lm/(?<w>[a-z]+)/(.*)$">
ProxyPass http://h/lm/$2/$1
</LocationMatch>
<LocationMatch ^/never>
ProxyPass http://h/never
</LocationMatch>
<Location /match>
ProxyPassMatch http://h/matched
</Location>
ProxyPass /plain http://server/level`, `
/plain -> http://h/loc /loc
/plainx -> 404 Not Found
/plain/x -> http://h/loc /loc/x
/plain/deeper/x -> http://h/deeper /deeper/x
/plain/not/x -> 404 Not Found
/lm/abc/rest -> http://h/lm/$2/$1 /lm/rest/abc
/never/x -> 404 Not Found
/match/x -> http://h/matched /matched/match/x`},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := strings.TrimSpace(c.want) + "\n"
			var targets []string
			for _, l := range strings.Split(strings.TrimSpace(want), "\n") {
				targets = append(targets, strings.Split(l, " -> ")[0])
			}
			if got := mapped(t, c.conf+"\n", strings.Join(targets, " ")); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}
