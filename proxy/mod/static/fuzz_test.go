package static

import (
	"strings"
	"testing"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/site"
)

// accessBench is a configuration under which access files are read, and which can be made anew with a section inside.
type accessBench struct {
	tables []directive.Module
	head   string
	conf   *directive.Config

	warnings, hints int // of conf, as it was bound
}

func newAccessBench(f testing.TB) *accessBench {
	b := &accessBench{tables: site.Tables(accessModules()), head: "Define Known value\n"}
	for _, m := range strings.Fields(accessPreload + " rewrite") {
		b.head += "LoadModule " + m + "_module x\n"
	}
	var err error
	if b.conf, err = b.bind(""); err != nil {
		f.Fatal(err)
	}
	b.warnings, b.hints = len(b.conf.Warnings), len(b.conf.Hints)
	return b
}

func (b *accessBench) bind(text string) (*directive.Config, error) {
	tree, err := apacheconf.ParseText("F", b.head+text, apacheconf.Options{ServerRoot: "/", Modules: directive.Catalog{}})
	if err != nil {
		return nil, err
	}
	return directive.Bind(tree, directive.Options{}, b.tables...)
}

func (b *accessBench) read(text string, o directive.Override) (*directive.AccessFile, error) {
	return b.conf.ReadAccess("/d/.htaccess", text, "/d", o)
}

// FuzzAccessFile: what an access file may say, a <Directory> section may, too. Where nothing may stand in one nothing
// does, and where what is forbidden and unknown is passed over nothing is left of it.
func FuzzAccessFile(f *testing.F) {
	for _, s := range []string{
		"Header set X-H 1\n", "<Files *.txt>\nRequire all denied\n</Files>\n", "<If \"true\">\nHeader set A b\n</If>\n<Else>\nRequire ip 10\n</Else>\n",
		"<IfModule mod_headers.c>\nHeader set X ${Known}\n</IfModule>\n", "<IfDefine Nope>\n<Files x>\n</IfDefine>\n", "RewriteEngine On\nRewriteRule ^a b [L]\n",
		"Options +Indexes\nAuthType Basic\n<Limit GET>\nRequire all granted\n</Limit>\n", "php_value a b\n", "Define X\n", "</Files>\n", "Header set \\\nX 1", "<FilesMatch (>\n", "SetEnvIf A ( b\n",
		"<RequireAny>\n<RequireAll>\nRequire env x\n</RequireAll>\n</RequireAny>\n", "<Files x>\n<Directory /y>\n", "ErrorDocument 404 \"%{file:/x}\"\n", "AllowOverride All\n", "\x00\xff<", "<IfModule", "Error \"stop\"\n",
	} {
		f.Add(s)
	}
	b := newAccessBench(f)
	all := directive.Override{Classes: directive.ClassAll, Options: ^uint16(0)}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := b.read(text, all)
		if err != nil && err.Error() == "" && !strings.Contains(strings.ToLower(text), "error") { // Error "" says nothing, as in httpd
			t.Fatalf("%q: an error without words", text)
		}
		// A line or an <IfModule> that is open at the end would take the section's end in.
		open := strings.HasSuffix(strings.TrimRight(text, "\r\n"), `\`) || strings.Contains(strings.ToLower(text), "<if")
		if err == nil && !open {
			if _, err := b.bind("<Directory /d>\n" + text + "\n</Directory>\n"); err != nil {
				t.Fatalf("%q may stand in a file, and not in a section: %v", text, err)
			}
		}
		if read, err := b.read(text, directive.Override{Unset: true}); err == nil && (len(read.Scope.Children) > 0 || len(read.Hints) > 0) {
			t.Fatalf("%q is in force where nothing may stand in a file", text)
		}
		read, err := b.read(text, directive.Override{PassForbidden: true, PassUnknown: true})
		if len(read.Scope.Children) > 0 || len(read.Hints) > 0 {
			t.Fatalf("%q is in force where all is passed over", text)
		}
		if err != nil && strings.HasSuffix(err.Error(), "not allowed here") && !strings.Contains(strings.ToLower(text), "macro") && !strings.Contains(strings.ToLower(text), "use") {
			t.Fatalf("%q: %v, where all is passed over", text, err)
		}
		if len(b.conf.Warnings) != b.warnings || len(b.conf.Hints) != b.hints {
			t.Fatalf("%q has changed the configuration", text)
		}
	})
}
