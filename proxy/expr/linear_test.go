package expr

import (
	"strings"
	"testing"

	"balancerd/testdata/linear"
	"balancerd/proxy/exchange"
)

// TestFunctionsAreLinear, and the tests that look at a field.
func TestFunctionsAreLinear(t *testing.T) {
	var strs []*String
	for _, name := range []string{"tolower", "toupper", "escape", "unescape", "base64", "unbase64", "sha1", "md5", "ldap", "env", "note", "req_novary", "resp"} {
		s, err := CompileString("%{"+name+":%{HTTP:X-Long}}%{HTTP:X-Long}", Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		strs = append(strs, s)
	}
	var tests []*Expr
	for _, text := range []string{"-T req('X-Long')", "req('X-Long') -eq 5", "req('X-Long') == resp('X-Long')", "req('X-Long') in {'a', 'b'}", "req('X-Long') -ipmatch '10.0.0.0/8'",
		"req('X-Long') -strmatch '*a*b*'", "req('X-Long') -fnmatch '/*/a?'", "req('X-Long') -strcmatch '*[!a]'", "req('X-Long') =~ /a.*b$/", "-e req('X-Long')"} {
		e, err := Compile(text, Options{})
		if err != nil {
			t.Fatal(text, err)
		}
		tests = append(tests, e)
	}
	for name, piece := range map[string]string{"letters": "aB", "umlauts": "\xc3\xa4", "percent": "%41", "slashes": "/", "digits": "1", "blanks": " ", "stars": "*", "equals": "="} {
		t.Run(name, func(t *testing.T) {
			input := func(size int) *exchange.Exchange {
				x := sample()
				x.Req.Header.Add("X-Long", strings.Repeat(piece, size/len(piece)))
				return x
			}
			linear.Check(t, 4<<10, input, func(x *exchange.Exchange) {
				x.Arena.Reset()
				for _, s := range strs {
					s.Eval(x)
				}
				for _, e := range tests {
					e.Match(x)
				}
				x.Res.Header.Del("Vary")
			})
		})
	}
}
