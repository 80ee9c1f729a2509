package apacheconf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// modules is a small set for tests.
type modules struct{}

func (modules) Source(ident string) (string, bool, bool) {
	src := map[string]string{"core_module": "core.c", "proxy_module": "mod_proxy.c", "macro_module": "mod_macro.c", "version_module": "mod_version.c"}[ident]
	return src, ident == "core_module" || ident == "version_module", src != ""
}
func (modules) Provider(d string) (string, bool) {
	src := map[string]string{"proxypass": "mod_proxy.c", "<proxy": "mod_proxy.c", "dav": "mod_dav.c"}[strings.ToLower(d)]
	return src, src != ""
}
func (modules) Spelling(d string) string {
	return map[string]string{"<proxy": "<Proxy"}[strings.ToLower(d)]
}
func (modules) Builtins() []string { return []string{"core_module", "version_module"} }

const loadAll = "LoadModule proxy_module x\nLoadModule macro_module x\n"

func parse(text string) (*Tree, error) {
	return ParseText("F", loadAll+text, Options{ServerRoot: os.TempDir(), Modules: modules{}, Environ: func(n string) (string, bool) { return "from-env", n == "ENV" }})
}

// TestReadingErrors: httpd's words for what goes wrong while the text is read, with the line counted
// from the first one below the two that load modules.
func TestReadingErrors(t *testing.T) {
	for _, c := range []struct {
		text string
		line int
		want string
	}{
		{"</Location>\n", 1, "</Location> without matching <Location> section"},
		{"<Location />\n</Directory>\n", 2, "Expected </Location> but saw </Directory>"},
		{"<Location />\n</Location \n", 2, "</Location> directive missing closing '>'"},
		{"<VirtualHost *:80>\n<Location />\n", 1, "F:4: <Location> was not closed.\nF:3: <VirtualHost> was not closed."},
		{"<IfDefine NOPE>\nx\n", 1, "Expected </IfDefine> before end of configuration"},
		{"<IfDefine NOPE>\n<Foo>\n</IfDefine>\n", 1, "Expected </Foo> but saw </IfDefine>"},
		{"<IfDefine>\n</IfDefine>\n", 1, "<IfDefine> directive requires additional arguments"},
		{"<Location />\n<IfDefine !NOPE>\n</Location>\n</IfDefine>\n", 3, "</Location> without matching <Location> section"},
		{"Define a:b c\n", 1, "Variable name must not contain ':'"},
		{"Define\n", 1, "Define takes 1-2 arguments, Define a variable, optionally to a value.  Same as passing -D to the command line."},
		{"ServerRoot /no/such/folder\n", 1, "ServerRoot must be a valid directory"},
		{"Include nope.conf\n", 1, "Could not open configuration file " + filepath.Join(os.TempDir(), "nope.conf") + ": No such file or directory"},
		{"</Location\n", 1, "</Location without matching <Location section"},
		{"</\n", 1, "</ without matching < section"},
		{"<proxy *>\n</foo>\n", 2, "Expected </Proxy> but saw </foo>"},
		{"<proxy *>\n", 1, "F:3: <Proxy> was not closed."},
		{"<IfDefine NOPE>\n</\nNope\n", 1, "Expected </IfDefine> but saw <>"},
		{"Define Foo \"\"\nDefine\n", 2, "Define takes 1-2 arguments, Define a variable, optionally to a value.  Same as passing -D to the command line."},
		{"Include go.mod/\n", 1, "Could not open configuration file " + filepath.Join(os.TempDir(), "go.mod") + "/: No such file or directory"},
		{"Include [\n", 1, "Could not open configuration file " + filepath.Join(os.TempDir(), "[") + ": No such file or directory"},
		{"<IfVersion !2.4>\n</IfVersion>\n", 1, badVersion}, {"<IfVersion >\n</IfVersion>\n", 1, badVersion}, {"<IfVersion\n</IfVersion>\n", 1, badVersion},
		{"<IfVersion ! 2.4>\n</IfVersion>\n", 1, "unrecognized operator '!'"},
		{"<IfVersion => 2>\n</IfVersion>\n", 1, "unrecognized operator '=>'"},
		{"<IfVersion > 2\nNope\n", 1, "<IfVersion> directive missing closing '>'"},
		{"<IfVersion 2.4 x y>\n</IfVersion>\n", 1, "<IfVersion> directive missing closing '>'"},
		{"<IfVersion \"\">\n</IfVersion>\n", 1, "<IfVersion takes one, two or three arguments, a comparison operator, a version (and a delimiter)"},
		{"<Macro \"\"> \n</Macro>\n", 1, "<Macro macro definition: name not found"},
		{"<IfVersion >> 2.4>\n</IfVersion>\n", 1, "unrecognized operator '>>'"},
		{"<IfVersion /2>\n</IfVersion>\n", 1, "Missing delimiting / of regular expression."},
		{"Use M x\n", 1, "no macro defined before Use"},
		{"<Macro M $a>\nx $a\n</Macro>\nUse N x\n", 4, "macro 'n' undefined"},
		{"<Macro M $a>\nx $a\n</Macro>\nUse M\n", 4, "macro 'm' (defined on line 3 of \"F\") used with 0 arguments instead of 1"},
		{"<Macro O>\nx\n", 1, "macro 'o' (defined on line 3 of \"F\")\n\tcontents error: expected token not found: </Macro>"},
		{"LoadFile nosuch-lib.so\n", 1, "Cannot load nosuch-lib.so into server: nosuch-lib.so: cannot open shared object file: No such file or directory"},
		{"LoadFile / no/such.so\n", 1, "Cannot load no/such.so into server: " + filepath.Join(os.TempDir(), "no/such.so") + ": cannot open shared object file: No such file or directory"},
		{"LoadModule nosuch_module nope.so\n", 1, "Cannot load nope.so into server: nope.so: cannot open shared object file: No such file or directory"},
	} {
		_, err := parse(c.text)
		e, ok := err.(*Error)
		if !ok || e.Msg != c.want || e.Pos.Line != c.line+2 || e.Phase != Reading {
			t.Errorf("%q:\n got %+v\nwant line %d: %s", c.text, err, c.line+2, c.want)
		}
	}
}

const badVersion = "Version appears to be invalid. It must have the format major[.minor[.patch]] where major, minor and patch are numbers."

// TestWarnings: what httpd warns of, also when an error follows.
func TestWarnings(t *testing.T) {
	const e = "macro 'e' (defined on line 3 of \"F\")"
	for _, c := range []struct{ text, want string }{
		{"x ${NOPE}\nDefine a:b\n", "core AH00111: Config variable ${NOPE} is not defined"},
		{"<Macro E>\n<Location /a>\n</Macro>\n", "macro AH02795: bad cumulated nesting (+1) in " + e},
		{"<Macro E>\n</Location>\n</Macro>\n", "macro AH02793: bad (negative) nesting on line 2 of " + e + "|macro AH02795: bad cumulated nesting (-1) in " + e},
		{"<Macro E>\n</Macro>\n", "macro AH02799: " + e + ": empty contents!"},
		{"<Macro E>\n\n</Macro>\n", ""},
		{"<Macro $E>\na\n</Macro>\n", "macro AH02803: macro '$e' (defined on line 3 of \"F\") better prefix a macro name with any of '$%@'"},
		{"<Macro E $c $cd>\na $cd\n</Macro>\n", "macro AH02797: " + e + ": argument name prefix conflict ($c #1 and $cd #2), be careful about your macro definition!|macro AH02800: " + e + ": argument '$c' (#1) never used"},
		{"<Macro E>\na\n</Macro> foo\n<Macro E>\na\n</Macro>\n", "macro AH02989: AH02794: non blank chars found after directive closing on line 5 of F:  foo|macro AH02802: macro 'e' multiply defined: defined on line 3 of \"F\", redefined on line 6 of \"F\""},
		{"<Macro E ${a b@c>\n${a b@c\n</Macro>\n", "macro AH02805: " + e + " argument name '${a' (#1) clashes with 'Define' syntax '${...}', better use '$(...)'.|macro AH02796: " + e + " argument name 'b@c' (#2) without expected prefix, better prefix argument names with one of '$%@'."},
		{"<Macro E $a>\nb$a\n</Macro>\nUse E \"\"\n", "macro AH02798: " + e + " used on line 6 of \"F\": empty argument #1"},
	} {
		tree, _ := parse(c.text)
		var got []string
		for _, w := range tree.Warnings {
			got = append(got, w.Module+" "+w.Msg)
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.text, strings.Join(got, "|"), c.want)
		}
	}
}

// TestCommandLineLines: each word of -c and -C is a line of its own, whatever it holds, and is never continued.
func TestCommandLineLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "httpd.conf")
	os.WriteFile(file, []byte("x\n"), 0o644)
	tree, err := ParseFile(file, Options{ServerRoot: os.TempDir(), Modules: modules{}, Before: []string{"a b\nc", "d \\"}, After: []string{"e \\\n", "f"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Dump(tree.Nodes), "a b c\nd \\\nx \ne \\\nf \n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	tree, err = ParseFile(t.TempDir(), Options{ServerRoot: os.TempDir(), Modules: modules{}})
	if err == nil || len(tree.Warnings) != 1 || !strings.HasPrefix(tree.Warnings[0].Msg, "AH00554: Access to file ") {
		t.Errorf("a folder: %v %v", err, tree.Warnings)
	}
}

// TestManyLines: continuations take linear time, and a file may have more lines than the parser repeats.
func TestManyLines(t *testing.T) {
	if testing.Short() {
		t.Skip("a million lines")
	}
	tree, err := parse("A b" + strings.Repeat(" \\\n c", 400_000) + "\n" + strings.Repeat("\n", 1_100_000) + "D e\n")
	if err != nil {
		t.Fatal(err)
	}
	if d := tree.Nodes[len(tree.Nodes)-1].(*Directive); d.Name != "D" || d.Pos.Line != 2+400_001+1_100_000+1 {
		t.Errorf("%s on line %d", d.Name, d.Pos.Line)
	}
}

func TestTrees(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Prox\\\nyPass /a \\\n   b\n", "ProxyPass /a    b\n"},
		{"# c \\\nswallowed\nA b\n", "A b\n"},
		{"A b\\\\\n\nC d\n", "A bC d\n"},
		{"\"Server Admin\" a\nServerAdmin> b\n", "Server Admin a\nServerAdmin b\n"},
		{"<Location /a>b> and more\n x y\n</LOCATION> z\n", "<Location /a>b> and more\n  x y\n</Location>\n"},
		{"Define A one\nDefine B ${A}-two\nDefine A three\nx ${A} ${B} ${ENV} ${NOPE} ${${A}} $x ${\n", "x three one-two from-env ${NOPE} ${${A}} $x ${\n"},
		{"<IfModule mod_proxy.c>\n a\n</IfModule>\n<IfModule !proxy_module>\n b\n</IfModule>\n<IfModule proxy>\n c\n</IfModule>\n", "a \n"},
		{"<IfVersion >= 2.4>\na\n</IfVersion>\n<IfVersion 2.4>\nb\n</IfVersion>\n<IfVersion !< 2.4.10>\nc\n</IfVersion>\n<IfVersion = /^2\\.4\\./>\nd\n</IfVersion>\n", "a \nc \nd \n"},
		{"<IfDirective proxypass>\na\n</IfDirective>\n<IfSection Proxy>\nb\n</IfSection>\n<IfDirective Dav>\nc\n</IfDirective>\n", "a \nb \n"},
		{"<Macro V $n $nn>\n  x $n $nn \"${ENV}\"\n</Macro>\nUse V 1 2\nUSE v \"a b\" c\n", "x 1 2 \"from-env\"\nx a b c \"from-env\"\n"},
		{"<IfDefine !X>\nA b\n", "A b\n"},
		{"<Macro Open>\n<Location /a>\n</Macro>\nUse Open\n x y\n</Location>\nz\n", "<Location /a>\n  x y\n</Location>\nz \n"},
		{"<Macro Close>\n y\n</Location>\nz\n</Macro>\n<Location /a>\n x\nUse Close\nw\n", "<Location /a>\n  x \n  y \n</Location>\nz \nw \n"},
		{"<Macro T>\n<IfDefine NOPE>\n</Macro>\nUse T\nFoo\n</IfDefine>\nx\n", "x \n"},
		{"<Macro T>\n<IfDefine !NOPE>\n</Macro>\nUse T\n# c\nx\n</IfDefine>\ny\n", "x \ny \n"},
		{"<Macro A>\n<X>\n</Macro>\n<Macro B>\nUse A\n a\n</Macro>\nUse B\n b\n</X>\n", "<X >\n  a \n  b \n</X>\n"},
		{"<Macro E @a>\nx @a\n</Macro>\nUse E \"x y\\\"z\"\n", "x \"x y\\\"z\"\n"},
		{"Define Foo bar\nx ${FOO}\n<IfDefine FOO>\ny\n</IfDefine>\n", "x bar\n"},
		{"Define Foo \"\"\nx a${Foo}b\n", "x a${Foo}b\n"},
		{"x/>\n", "x/> \n"},
		{"a \\\x00\nb\n", "a \\\nb \n"},
		{"<IfVersion 2.4.71 >\na\n</IfVersion>\n<IfVersion >= \"2.4\" >\nb\n</IfVersion>\n<IfVersion !~ ^2>\nc\n</IfVersion>\n<IfVersion < 3..>\nd\n</IfVersion>\n", "a \nb \nd \n"},
	} {
		tree, err := parse(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got := Dump(tree.Nodes); got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.text, got, c.want)
		}
		if got := Print(tree.Nodes); got != loadAll+c.text {
			t.Errorf("printed again:\n got %q\nwant %q", got, loadAll+c.text)
		}
	}
}

func TestLinesAreNumberedByTheirEnd(t *testing.T) {
	tree, err := parse("a \\\n b \\\n c\n<X>\n y\n</X>\n")
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, n := range tree.Nodes[2:] {
		got = append(got, n.Where().Line)
	}
	if len(got) != 2 || got[0] != 5 || got[1] != 6 {
		t.Errorf("lines %v, want 5 and 6", got)
	}
	tree, _ = parse("a \\\n")
	if line := tree.Nodes[2].Where().Line; line != 4 {
		t.Errorf("a backslash at the end of the file: line %d, want 4", line)
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`a "b c" 'd "e"'`, `a|b c|d "e"`}, {`"a""b"`, "a|b"}, {`"a \" \\ \x"`, `a " \ \x`}, {`"runs on`, "runs on"}, {`a\\b c\ d`, `a\b|c\|d`}, {`un"quoted"`, `un"quoted"`}, {``, ``},
	} {
		if got := strings.Join(Words(c.in), "|"); got != c.want {
			t.Errorf("Words(%s) = %s, want %s", c.in, got, c.want)
		}
	}
	if w, rest := Word2(`{a {b} c} d`); w != "a {b} c" || rest != "d" {
		t.Errorf("Word2: %q %q", w, rest)
	}
}

func TestIncludeOrder(t *testing.T) {
	root := t.TempDir()
	for _, n := range []string{"inc/b.conf", "inc/a.conf", "inc/sub/c.conf", "inc/.hidden.conf", "inc/B.conf"} {
		os.MkdirAll(filepath.Dir(filepath.Join(root, n)), 0o755)
		os.WriteFile(filepath.Join(root, n), []byte("Seen "+n+"\n"), 0o644)
	}
	os.Symlink(filepath.Join(root, "inc/sub"), filepath.Join(root, "zlink"))
	for _, c := range []struct{ text, want string }{
		{"Include inc\n", "inc/.hidden.conf inc/B.conf inc/a.conf inc/b.conf inc/sub/c.conf"},
		{"Include inc/*.conf\n", "inc/B.conf inc/a.conf inc/b.conf"},
		{"Include inc/[ab].conf\nInclude i*/s*/c.conf\n", "inc/a.conf inc/b.conf inc/sub/c.conf"},
		{"IncludeOptional nope/*.conf\nIncludeOptional nope\nIncludeOptional inc/a.conf/x\n", ""},
		{"Include inc/[!a].conf\n", "inc/B.conf inc/b.conf"},
		{"IncludeOptional z*/c.conf\n", ""}, // a link to a folder
	} {
		tree, err := ParseText("F", c.text, Options{ServerRoot: root})
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(Dump(tree.Nodes), "Seen ", ""), "\n", " ")); got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"Include inc/a.conf/\n":          "Could not open configuration file " + root + "/inc/a.conf/: Not a directory",
		"IncludeOptional inc/a.conf/*\n": "Include/IncludeOptional: Could not open directory " + root + "/inc/a.conf: Not a directory",
	} {
		if _, err := ParseText("F", text, Options{ServerRoot: root}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	os.WriteFile(filepath.Join(root, "loop.conf"), []byte("Include loop.conf\n"), 0o644)
	if _, err := ParseText("F", "Include loop.conf\n", Options{ServerRoot: root}); err == nil || !strings.Contains(err.Error(), "Exceeded maximum include depth of 128") {
		t.Errorf("a loop gives %v", err)
	}
}

// FuzzParse: whatever is read can be printed as it was, and reads the same again.
func FuzzParse(f *testing.F) {
	f.Add("<Proxy balancer://c>\n BalancerMember \"http://a\" \\\n route=1\n</Proxy>\n# end")
	f.Add("<IfDefine !X>\nDefine A b\nx ${A}\n</IfDefine>\n")
	f.Add("<Macro m $a>\n<L>\n$a\n</L>\n</Macro>\nUse m x\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToLower(text), "include") {
			return // no files
		}
		o := Options{ServerRoot: "/", Modules: modules{}, Environ: func(string) (string, bool) { return "", false }}
		tree, err := ParseText("F", text, o)
		if err != nil {
			return
		}
		printed := Print(tree.Nodes)
		if printed != text {
			t.Fatalf("printed %q of %q", printed, text)
		}
		again, err := ParseText("F", printed, o)
		if err != nil || Dump(again.Nodes) != Dump(tree.Nodes) {
			t.Fatalf("reads differently again: %v", err)
		}
	})
}
