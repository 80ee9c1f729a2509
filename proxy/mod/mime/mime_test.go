package mime

import (
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
	"testing"
)

func TestRefused(t *testing.T) {
	tests := []struct{ conf, want string }{
		{"AddType a", "AddType requires at least two arguments, a mime type followed by one or more file extensions"},
		{"MultiviewsMatch x", "Unrecognized option 'x'"},
		{"MultiviewsMatch Any Filters", "Filters is incompatible with Any and NegotiatedOnly"},
		{"<Location /x>\nMultiviewsMatch x\n</Location>", "MultiviewsMatch cannot occur within <Location> section"},
		{"TypesConfig /nope", ""},
	}
	for _, c := range tests {
		if got := refused(c.conf); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.conf, got, c.want)
		}
	}
	c, err := sitetest.Bind(preload, "TypesConfig /nope", modules()...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = site.Build(c, modules(), site.Options{})
	if want := "(2)No such file or directory: AH01597: could not open mime types config file /nope."; err == nil || err.Error() != want {
		t.Error(err)
	}
}

func TestTypes(t *testing.T) {
	root := tree(t, "UP.HTML=u", "a.b.html.utf8=u", ".html=u", "x..html=u", "m.foo=u", "x.html.en.fr=u", "a.tar.gz=u", "f.txt=u", "k.html=u", "force/f.txt=u", "off/f.txt=x", "gone/f.txt=x")
	r := serving(t, root, `
AddCharset UTF-8 .utf8
AddType "Text/X-Foo; Charset=KOI8-R; a=b" .foo
AddType application/x-tar tar
AddEncoding x-gzip .gz
AddLanguage en .en
AddLanguage FR .fr
<Location /lang>
  DefaultLanguage nl
</Location>
<Location /cs>
  AddDefaultCharset On
</Location>
<Location /proxied/cs>
  AddDefaultCharset On
  DefaultLanguage nl
</Location>
<Directory `+root+`/force>
  ForceType image/gif
</Directory>
<Directory `+root+`/off>
  RemoveType txt
</Directory>
<Directory `+root+`/gone>
  AddDefaultCharset utf-8
  AddCharset koi8-r .txt
  RemoveCharset .utf8
</Directory>
`)
	tests := []struct{ request, mediaType, language, encoding string }{
		{"/UP.HTML", "text/html", "", ""},
		{"/a.b.html.utf8", "text/html; charset=utf-8", "", ""},
		{"/.html", "", "", ""},
		{"/x..html", "text/html", "", ""},
		{"/m.foo", "text/x-foo; charset=koi8-r; a=b", "", ""},
		{"/x.html.en.fr", "text/html", "en,fr", ""},
		{"/a.tar.gz", "application/x-tar", "", "x-gzip"},
		{"/force/f.txt", "image/gif", "", ""},
		{"/off/f.txt", "", "", ""},
		{"/gone/f.txt", "text/plain; charset=koi8-r", "", ""},
		{"/proxied/x.html", "text/html", "", ""},
		{"/proxied/x", "", "", ""},
		{"/proxied/x.html HTTP/1.1\nX-Answer: Content-Type: a/b", "a/b", "", ""},
		{"/proxied/x.gz.en HTTP/1.1\nX-Answer: Content-Type: a/b", "a/b", "en", "x-gzip"},
		{"/proxied/cs/html HTTP/1.1\nX-Answer: Content-Type: text/html", "text/html; charset=iso-8859-1", "nl", ""},
		{"/proxied/cs/cs HTTP/1.1\nX-Answer: Content-Type: Text/HTML;charset=x", "Text/HTML;charset=x", "nl", ""},
		{"/proxied/cs/lang HTTP/1.1\nX-Answer: Content-Language: de|Content-Type: TEXT/plain; x=y", "TEXT/plain; x=y; charset=iso-8859-1", "nl,de", ""},
		{"/proxied/cs/none.html", "text/html; charset=iso-8859-1", "nl", ""},
		{"/proxied/cs/none", "", "nl", ""},
		{"/proxied/cs/fr.fr HTTP/1.1\nX-Answer: Content-Language: FR, de", "", "fr,de", ""},
	}
	for _, c := range tests {
		x := r.Get("GET " + c.request)
		got := [3]string{answered(x, "Content-Type"), answered(x, "Content-Language"), answered(x, "Content-Encoding")}
		if want := [3]string{c.mediaType, c.language, c.encoding}; got != want || x.Res.Status != 200 {
			t.Errorf("%s: %d %q, want %q", c.request, x.Res.Status, got, want)
		}
	}
}

func TestWithCharset(t *testing.T) {
	for _, c := range [][3]string{{"text/html", "", "text/html"}, {"text/html", "x", "text/html; charset=x"}, {"text/html;charset=y;a=b", "x", "text/html; charset=x; a=b"},
		{"text/html;a=\"b;c\"", "x", "text/html; a=\"b;c\"; charset=x"}, {"junk", "x", "junk"}, {"a/b; c", "x", "a/b; c"}, {"a / b ;c=d", "", "a/b; c=d"}, {"", "x", ""}} {
		if got := withCharset(c[0], c[1]); got != c[2] {
			t.Errorf("%q %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
