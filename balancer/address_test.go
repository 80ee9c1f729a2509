package balancer

import (
	"strings"
	"testing"
)

// TestNames is the names that httpd 2.4.71 gave to these URLs.
func TestNames(t *testing.T) {
	for text, want := range map[string]Address{
		"HTTP://LOCALHOST:81/A":         {URL: "http://localhost:81/A", Scheme: "http", Host: "localhost", Port: 81, Path: "/A"},
		"http://localhost:80/b":         {URL: "http://localhost/b", Scheme: "http", Host: "localhost", Port: 80, Path: "/b"},
		"http://localhost:0081/c":       {URL: "http://localhost:0081/c", Scheme: "http", Host: "localhost", Port: 81, Path: "/c"},
		"http://h:080/f":                {URL: "http://h/f", Scheme: "http", Host: "h", Port: 80, Path: "/f"},
		"http://u:P@LOCALhost/d?x#Z":    {URL: "http://u:P@localhost/d?x#Z", Scheme: "http", Host: "localhost", Port: 80, Path: "/d"},
		"http://[::1]:82/":              {URL: "http://[::1]:82/", Scheme: "http", Host: "::1", Port: 82, Path: "/"},
		"http://[FE80::1]":              {URL: "http://[fe80::1]", Scheme: "http", Host: "fe80::1", Port: 80},
		"http://h:/e":                   {URL: "http://h/e", Scheme: "http", Host: "h", Port: 80, Path: "/e"},
		"FOO://h:/e":                    {URL: "foo://h/e", Scheme: "foo", Host: "h", Path: "/e"},
		"https://h:443":                 {URL: "https://h", Scheme: "https", Host: "h", Port: 443},
		"ajp://h:8009/x":                {URL: "ajp://h/x", Scheme: "ajp", Host: "h", Port: 8009, Path: "/x"},
		"fcgi://h:8000/":                {URL: "fcgi://h/", Scheme: "fcgi", Host: "h", Port: 8000, Path: "/"},
		"ws://h:80/":                    {URL: "ws://h/", Scheme: "ws", Host: "h", Port: 80, Path: "/"},
		"wss://h:443/":                  {URL: "wss://h/", Scheme: "wss", Host: "h", Port: 443, Path: "/"},
		"h2://h:443/":                   {URL: "h2://h/", Scheme: "h2", Host: "h", Port: 443, Path: "/"},
		"h2c://h:80/":                   {URL: "h2c://h/", Scheme: "h2c", Host: "h", Port: 80, Path: "/"},
		"scgi://h:4000/":                {URL: "scgi://h/", Scheme: "scgi", Host: "h", Port: 4000, Path: "/"},
		"uwsgi://h:3031/":               {URL: "uwsgi://h:3031/", Scheme: "uwsgi", Host: "h", Port: 3031, Path: "/"},
		"ftp://h:21/g":                  {URL: "ftp://h/g", Scheme: "ftp", Host: "h", Port: 21, Path: "/g"},
		"unix:s.sock|HTTP://Foo/":       {URL: "http://foo/", Scheme: "http", Host: "foo", Port: 80, Path: "/", Socket: "/run/s.sock"},
		"unix:/tmp/../x.sock|http:":     {URL: "http://localhost", Scheme: "http", Host: "localhost", Port: 80, Socket: "/x.sock"},
		"UNIX:/y.sock|fcgi://":          {URL: "fcgi://localhost", Scheme: "fcgi", Host: "localhost", Port: 8000, Socket: "/y.sock"},
		"http://h\xe9\xc9/\xc9":         {URL: "http://h\xe9\xc9/\xc9", Scheme: "http", Host: "h\xe9\xc9", Port: 80, Path: "/\xc9"},
		"http://h:65535":                {URL: "http://h:65535", Scheme: "http", Host: "h", Port: 65535},
		"http://h/a:b@c":                {URL: "http://h/a:b@c", Scheme: "http", Host: "h", Port: 80, Path: "/a:b@c"},
		"http://" + x(255):              {URL: "http://" + x(255), Scheme: "http", Host: x(255), Port: 80},
		"unix:/" + x(94) + "|http://h/": {URL: "http://h/", Scheme: "http", Host: "h", Port: 80, Path: "/", Socket: "/" + x(94)},
	} {
		got, err := ParseAddress(text, "/run", false)
		if err != nil || got != want {
			t.Errorf("%.60s:\n got %+v %v\nwant %+v", text, got, err, want)
		}
		back, err := ParseAddress(got.Name(), "/elsewhere", false)
		if err != nil || back.Name() != got.Name() {
			t.Errorf("%.60s: its name reads back as %q %v", text, back.Name(), err)
		}
	}
}

func TestBadAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"/h/": "URL must be absolute!: /h/", "": "URL must be absolute!: ", "foo": "URL must be absolute!: foo", "http:": "URL must be absolute!: http:", "http://": "URL must be absolute!: http://",
		"http:/x": "URL must be absolute!: http:/x", "//h/x": "URL must be absolute!: //h/x", "h:80": "URL must be absolute!: h:80", "http://:80/": "URL must be absolute!: http://:80/",
		"unix:/x.sock": "URL must be absolute!: unix:/x.sock", "not a url": "URL must be absolute!: not a url", "unix:/x|h": "URL must be absolute!: unix:/x|h",
		"http://h:x/": "Unable to parse URL: http://h:x/", "http://h:8x/": "Unable to parse URL: http://h:8x/", "http://[::1/": "Unable to parse URL: http://[::1/",
		"1http://h/": "Unable to parse URL: 1http://h/", "unix:x|y|http://h/": "Unable to parse URL: unix:x|y|http://h/", ":": "Unable to parse URL: :",
		"http://h:70000/":               "Unable to parse URL: http://h:70000/", // httpd: port 4464
		"http://h:-1/":                  "Unable to parse URL: http://h:-1/",    // httpd: port 65535
		"http://" + x(256) + "/":        "worker hostname (" + x(256) + ") too long",
		"unix:/" + x(95) + "|http://h/": "worker uds path (/" + x(95) + ") too long",
	} {
		a, err := ParseAddress(text, "/run", false)
		if err == nil || err.Error() != want {
			t.Errorf("%.60s: %+v %v, want %s", text, a, err, want)
		}
	}
}

// TestMatchAddresses is URLs of ProxyPassMatch.
func TestMatchAddresses(t *testing.T) {
	for text, want := range map[string]Address{
		"http://127.0.0.1:$1/":    {URL: "http://127.0.0.1/$1/"},
		"http://h:28$1$2/x":       {URL: "http://h:28/$1$2/x"},
		"http://h$1:81/x$2":       {URL: "http://h$1:81/x$2", Port: 81},
		"http://h:81/$1":          {URL: "http://h:81/$1", Port: 81},
		"http://$1":               {URL: "http://$1"},
		"unix:/s|fcgi://h/www/$1": {URL: "fcgi://h/www/$1"},
	} {
		got, err := ParseAddress(text, "/run", true)
		if err != nil || !got.Match {
			t.Errorf("%s: %v", text, err)
		}
		url := strings.Replace(want.URL, "127.0.0.1/$", "127.0.0.1$", 1)
		url = strings.Replace(url, "28/$", "28$", 1)
		if got.URL != url {
			t.Errorf("%s: %s, want %s", text, got.URL, url)
		}
		if varies := strings.Contains(strings.SplitN(text, "/", 4)[2], "$") && text[0] == 'h'; got.Varies != varies {
			t.Errorf("%s varies: %v, want %v", text, got.Varies, varies)
		}
		if want.Port != 0 && got.Port != want.Port {
			t.Errorf("%s: port %d", text, got.Port)
		}
	}
	if a, err := ParseAddress("http://h:$1/", "/run", false); err == nil {
		t.Error("without match:", a)
	}
}

func TestStripSocket(t *testing.T) {
	for text, want := range map[string]string{
		"http://h/x": "http://h/x", "unix:/s|http://h/x": "http://h/x", "UNIX:/s|http:": "http://localhost", "unix:/s|http://": "http://localhost",
		"unix:/s|http": "!", "unix:/s": "unix:/s", "unix:/s|": "!", "": "",
	} {
		got, ok := StripSocket(text)
		if !ok {
			got = "!"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		name, url string
		match     bool
		want      bool
	}{
		{"http://h", "http://h/x", false, true},
		{"http://h", "HTTP://H/x", false, true},
		{"http://h", "http://ho/", false, false},
		{"http://h", "http://h:81/", false, false},
		{"http://h:8", "http://h:81/", false, false},
		{"http://h/foo", "http://h/foobar", false, true},
		{"http://h/foo", "http://h/FOO", false, false},
		{"http://h/foo/", "http://h/foo", false, false},
		{"http://h/foo", "http://H:80/foo", false, false},
		{"http://h/", "http://h", false, false},
		{"http://h", "http://h", false, true},
		{"http://h", "http:/h/x", false, false},
		{"http://h", "http://", false, false},
		{"http://h", "", false, false},
		{"http://h/$1", "http://h/abc", true, true},
		{"http://h/$1", "http://h/a", true, false}, // shorter than the name
		{"http://h/$1/x", "http://h/abc/x", true, true},
		{"http://h/$1/x", "http://h/abc/y", true, false},
		{"http://h$1/$2", "http://h1234/567", true, true},
		{`http://h/\$1`, "http://h/$1x", true, true},
		{`http://h/a\`, "http://h/abcd", true, false},
		{"http://h/$1", "HTTP://H/ABC", true, true},
		{"http://h$1/$2", "http://h12345678/", true, true}, // the host has more than the name
		{"http://$1/$2", "http://www.example.com:8080/x", true, true},
		{"http://h/$1", "http://hh.example/", true, false},
		{"http://$1.example/$2", "HTTP://A.EXAMPLE/x/yz", true, true},
		{"http://$1.example/$2", "http://a.example.org/x", true, false},
		{"http://h/" + strings.Repeat("$1a", 10) + "$1b", "http://h/" + strings.Repeat("a", 400), true, false},
	} {
		a, err := ParseAddress(c.name, "", c.match)
		if err != nil || a.URL != c.name {
			a = Address{URL: c.name, Match: c.match} // a name that no URL makes
		}
		got := a.Covers(c.url)
		if (got >= 0) != c.want || got >= 0 && got != len(c.name) {
			t.Errorf("Covers(%q, %q, %v) = %d, want %v", c.name, c.url, c.match, got, c.want)
		}
	}
}

func TestLongest(t *testing.T) {
	var list []*Worker
	for _, url := range []string{"http://h/", "http://h/deep/", "http://h/d", "http://h/deep/", "http://other"} {
		a, err := ParseAddress(url, "", false)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, newWorker("", a, &group{}, false))
	}
	for url, want := range map[string]int{"http://h/x": 0, "http://h/deep/er": 1, "http://h/de": 2, "http://OTHER/": 4, "unix:/s|http://h/x": 0, "http://nobody/": -1, "": -1} {
		w := Longest(list, url)
		if want < 0 && w != nil || want >= 0 && w != list[want] {
			t.Errorf("%s: %v, want %d", url, w, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Longest(list, "http://h/deep/er") }); n != 0 {
		t.Error("allocations:", n)
	}
}

// FuzzParseAddress: a name reads back to itself, and a worker covers its own URL.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"http://h", "unix:/s|http:", "http://u@[::1]:99/x?y#z", "http://h:$1/", "1:", "a://b:"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, match bool) {
		a, err := ParseAddress(text, "/run", match)
		if err != nil {
			return
		}
		if a.Scheme == "" || a.Host == "" || a.Scheme != lower(a.Scheme) {
			t.Fatalf("%q: %+v", text, a)
		}
		if match || a.Path != "" && a.Path[0] != '/' { // "http:x" behind a socket; httpd takes it, too
			return
		}
		if !strings.ContainsAny(a.URL, "@?#") && a.Covers(a.URL) < 0 {
			t.Fatalf("%q: %q does not cover itself", text, a.URL)
		}
		if back, err := ParseAddress(a.Name(), "/run", false); err != nil || back.URL != a.URL {
			t.Fatalf("%q: %q reads back as %q, %v", text, a.Name(), back.URL, err)
		}
	})
}

func TestParseName(t *testing.T) {
	for url, want := range map[string]string{
		"balancer://C/Path": "balancer://c", "BALANCER://a.b-c": "balancer://a.b-c", "http://X/": "http://x",
		"balancer:": "Bad syntax for a balancer name (balancer:)", "balancer://": "Bad syntax for a balancer name (balancer://)", "*": "Bad syntax for a balancer name (*)",
		"balancer:/x/y":        "Bad syntax for a balancer name (balancer:/x/y)",
		"balancer://" + x(84):  "balancer://" + x(84),
		"balancer://X" + x(84): "balancer name (balancer://" + x(85) + ") too long",
	} {
		got, err := ParseName(url)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}
