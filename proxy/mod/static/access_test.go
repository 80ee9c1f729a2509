package static

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"balancerd/proxy/mod/alias"
	"balancerd/proxy/mod/auth"
	"balancerd/proxy/mod/core"
	"balancerd/proxy/mod/dir"
	"balancerd/proxy/mod/headers"
	"balancerd/proxy/mod/mime"
	"balancerd/proxy/mod/setenvif"
	"balancerd/proxy/site"
	"balancerd/proxy/site/sitetest"
)

// accessed serves a folder with the modules that .htaccess files speak to most.
func accessed(t testing.TB, root, conf string) *rig {
	t.Helper()
	return sitetest.New(t, accessPreload, sitetest.Files(t, root)+conf, accessModules()...)
}

func accessModules() []site.Module {
	mods := []site.Module{core.Module(), sitetest.Member(), alias.Module(), setenvif.Module(), headers.Module(), mime.Module(), Module(), dir.Module()}
	return append(mods, auth.Modules()...)
}

const accessPreload = preload + " setenvif headers authz_core authz_host access_compat authn_core auth_basic authn_file"

// under are lines for a folder and all below it, with no access file read above it.
func under(root, lines string) string {
	return "<Directory />\nAllowOverride None\n</Directory>\n<Directory " + root + ">\n" + lines + "\n</Directory>\n"
}

// What AllowOverride lets in, and httpd 2.4.71's words for the rest.
func TestAllowOverride(t *testing.T) {
	all, some := "AllowOverride All", "AllowOverride AuthConfig Limit Options=Indexes,FollowSymLinks"
	for _, c := range []struct {
		override, file, want, log string
	}{
		{all, "Header set X-H 1", "200 1", ""},
		{"AllowOverride fileinfo", "Header set X-H 1", "200 1", ""},
		{some, "Header set X-H 1", "500", "Header not allowed here"},
		{some, "header set X-H 1", "500", "Header not allowed here"},
		{some, "order deny,allow", "200", ""},
		{some, "Require all denied", "403", "AH01630: client denied by server configuration: ROOT/d/f.txt"},
		{some, "Options Indexes", "200", ""},
		{some, "Options -Includes", "500", "Option Includes not allowed here"},
		{some, "Options +MultiViews", "500", "Option MultiViews not allowed here"},
		{"AllowOverride Options", "Options SymLinksIfOwnerMatch", "500", "Option SymLinksIfOwnerMatch not allowed here"},
		{all, "Options SymLinksIfOwnerMatch MultiViews", "200", ""},
		{"AllowOverride Limit", "<Limit GET>\norder deny,allow\ndeny from all\n</Limit>", "403", "AH01797: client denied by server configuration: ROOT/d/f.txt"},
		{"AllowOverride FileInfo", "<Limit GET>\n</Limit>", "500", "<Limit not allowed here"},
		{"AllowOverride None\nAllowOverrideList Header", "Header set X-H 1", "200 1", ""},
		{"AllowOverride None\nAllowOverrideList hEADER", "Header set X-H 1", "200 1", ""},
		{"AllowOverride None\nAllowOverrideList Header", "<Files f.txt>\nHeader set X-H 1\n</Files>", "500", "<Files not allowed here"},
		{"AllowOverride None\nAllowOverrideList Header", "<IfModule x>\n</IfModule>", "500", "<IfModule not allowed here"},
		{"AllowOverride None\nAllowOverrideList None", "Nonsense", "200", ""},
		{"AllowOverride None", "Nonsense", "200", ""},
		{"", "Nonsense", "200", ""},
		{"", "# nothing\n\n", "200", ""},
		{all, "Nonsense x", "500", "Invalid command 'Nonsense', perhaps misspelled or defined by a module not included in the server configuration"},
		{all, "<Files f.txt>\nHeader set X-H 1\n</Files>", "200 1", ""},
		{all, "<Files ~ \"\\.txt$\">\nHeader set X-H 1\n</Files>", "200 1", ""},
		{all, "<FilesMatch ^x>\nHeader set X-H 1\n</FilesMatch>", "200", ""},
		{all, "<If \"true\">\nHeader set X-H 1\n</If>\n<Else>\nHeader set X-H 2\n</Else>", "200 1", ""},
		{all, "<Files f.txt>\n<If \"%{QUERY_STRING} == ''\">\nHeader set X-H 1\n</If>\n</Files>", "200 1", ""},
		{"AllowOverride AuthConfig", "<Files f.txt>\nHeader set X-H 1\n</Files>", "500", "Header not allowed in <Files> context"},
		{"AllowOverride AuthConfig", "<Files g.txt>\nHeader set X-H 1\n</Files>", "500", "Header not allowed in <Files> context"},
		{all, "<IfModule mod_headers.c>\nHeader set X-H 1\n</IfModule>\n<IfModule mod_php.c>\nphp_value a b\n</IfModule>", "200 1", ""},
		{all, "<IfDefine Nope>\n</IfDefine>\n<IfDefine Known>\nHeader set X-H ${Known}\n</IfDefine>", "200 value", ""},
		{all, "Header set \\\n X-H 1\r\n", "200 1", ""},
		{all, "Header set X-H " + strings.Repeat("x", 8190), "500", "Error reading ROOT/d/.htaccess at line 1: Line too long"},
		{all, "ServerName x", "500", "ServerName not allowed here"},
		{all, "Include x", "500", "Include not allowed here"},
		{all, "includeoptional x", "500", "IncludeOptional not allowed here"},
		{all, "Define x", "500", "Define not allowed here"},
		{all, "AllowOverride All", "500", "AllowOverride not allowed here"},
		{all, "<Directory />\n</Directory>", "500", "<Directory not allowed here"},
		{all, "<Location />\n</Location>", "500", "<Location not allowed here"},
		{all, "<Files x>\n<Location />\n</Location>\n</Files>", "500", "<Location not allowed in <Files> context"},
		{all, "<Files x>\n", "500", "ROOT/d/.htaccess:1: <Files> was not closed."},
		{all, "</Files>\n", "500", "</Files> without matching <Files> section"},
		{all, "<If \"file('/etc/passwd') =~ /x/\">\n</If>", "500", "Cannot parse condition clause: file not available in restricted context"},
		{all, "<If \"-f '/etc/passwd'\">\nHeader set X-H 1\n</If>", "200 1", ""},
		{all, "Require expr \"filesize('/x') -gt 1\"", "500", "Cannot parse expression in require line: filesize not available in restricted context"},
		{"AllowOverride Nonfatal=Override", "Header set X-H 1\nNonsense", "500", "AH02295: Header in .htaccess forbidden by AllowOverride\nInvalid command 'Nonsense', perhaps misspelled or defined by a module not included in the server configuration"},
		{"AllowOverride FileInfo Nonfatal=Unknown", "Header set X-H 1\nNonSense x\n<Wrong>\nRequire all denied\n</Wrong>", "200 1",
			"AH02296: Unknown directive nonsense perhaps misspelled or defined by a module not included in the server configuration\nAH02296: Unknown directive <wrong perhaps misspelled or defined by a module not included in the server configuration"},
		{"AllowOverride FileInfo Nonfatal=All", "Options All\nNonsense\nHeader set X-H 1\nRequire all denied\n", "200 1",
			"AH02295: Options in .htaccess forbidden by AllowOverride\nAH02296: Unknown directive nonsense perhaps misspelled or defined by a module not included in the server configuration\nAH02295: Require in .htaccess forbidden by AllowOverride"},
	} {
		root := tree(t, "d/f.txt=f", "d/.htaccess="+c.file)
		r := accessed(t, root, "Define Known value\n"+under(root, c.override))
		x := r.Get("GET /d/f.txt HTTP/1.1")
		got := strings.TrimSpace(fmt.Sprint(x.Res.Status, " ", answered(x, "X-H")))
		if got != c.want {
			t.Errorf("%s\n%s\n%s, want %s", c.override, c.file, got, c.want)
		}
		if log := plainLog(r, root); log != c.log {
			t.Errorf("%s\n%s\nlog %s\nwant %s", c.override, c.file, log, c.log)
		}
	}
}

// plainLog is the log without levels, hints, the file's name in front, and the folder.
func plainLog(r *rig, root string) string {
	var out []string
	for line := range strings.Lines(strings.ReplaceAll(r.Log.Take(), root, "ROOT")) {
		_, line, _ = strings.Cut(strings.TrimRight(line, "\n"), "] ")
		if !strings.HasPrefix(line, "hint: ") && !strings.HasPrefix(line, "AH00128") {
			out = append(out, strings.TrimPrefix(line, "ROOT/d/.htaccess: "))
		}
	}
	return strings.Join(out, "\n")
}

// Files of outer folders come first; sections of a folder come before its file, regular expressions, <Files> and
// <Location> behind all of them.
func TestAccessFilesMerge(t *testing.T) {
	root := tree(t, ".htaccess=Header append X-H top\n<Files f.txt>\nHeader append X-H topfiles\n</Files>", "a/.htaccess=Header append X-H a",
		"a/b/.htaccess=Header append X-H b\nErrorDocument 404 \"of b\"", "a/b/f.txt=f", "a/b/g/x=x")
	r := accessed(t, root, under(root, "AllowOverride All")+
		"<Directory "+root+"/a>\nHeader append X-H dira\n</Directory>\n<DirectoryMatch /b>\nHeader append X-H match\n</DirectoryMatch>\n"+
		"<Files f.txt>\nHeader append X-H files\n</Files>\n<Location /a>\nHeader append X-H location\n</Location>\n")
	for path, want := range map[string]string{
		"/a/b/f.txt":   "200 top, dira, a, b, match, files, topfiles, location f",
		"/a/b/f.txt/x": "404  of b",
		"/a/b/none":    "404  of b",
		"/a/none/x":    "404 ",
	} {
		x := r.Get("GET " + path + " HTTP/1.1")
		got := fmt.Sprint(x.Res.Status, " ", answered(x, "X-H"), " ", body(x))
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s\n%s", path, got, want, r.Log.Take())
		}
	}
}

// A change shows with the next request, even one that neither size nor time tells.
func TestAccessFileChanges(t *testing.T) {
	root := tree(t, "f.txt=f")
	r := accessed(t, root, under(root, "AllowOverride All"))
	name := root + "/.htaccess"
	for i, want := range []string{"a", "b", "", "c", "d", "e", "f"} {
		if want == "" {
			os.Remove(name)
		} else if err := os.WriteFile(name, []byte("Header set X-H "+want), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if got := answered(r.Get("GET /f.txt HTTP/1.1"), "X-H"); got != want {
				t.Fatalf("change %d: %q, want %q\n%s", i, got, want, r.Log.Take())
			}
		}
	}
}

// A file that can't be read may forbid everything.
func TestUnreadableAccessFiles(t *testing.T) {
	root := tree(t, "folder/.htaccess/x=x", "folder/f.txt=f", "link/f.txt=f", "dangling/f.txt=f", "loop/f.txt=f", "pipe/f.txt=f", "other=Header set X-H linked", "long/f.txt=f")
	os.Symlink(root+"/other", root+"/link/.htaccess")
	os.Symlink(root+"/nowhere", root+"/dangling/.htaccess")
	os.Symlink(".htaccess", root+"/loop/.htaccess")
	mkfifo(t, root+"/pipe/.htaccess")
	os.WriteFile(root+"/long/.htaccess", make([]byte, 1<<20+1), 0o600)
	r := accessed(t, root, under(root, "AllowOverride All"))
	for path, want := range map[string]string{"folder": "403 ", "link": "200 linked", "dangling": "200 ", "loop": "403 ", "pipe": "403 ", "long": "500 "} {
		x := r.Get("GET /" + path + "/f.txt HTTP/1.1")
		if got := fmt.Sprint(x.Res.Status, " ", answered(x, "X-H")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if log := r.Log.Take(); strings.HasPrefix(want, "403") && !strings.Contains(log, "AH00529: "+root+"/"+path+"/.htaccess pcfg_openfile: unable to check htaccess file, ensure it is readable and that '"+root+"/"+path+"/' is executable") {
			t.Errorf("%s: %s", path, log)
		}
	}
}

// The first name that is there counts.
func TestAccessFileNames(t *testing.T) {
	root := tree(t, "both/.acl=Header set X-H acl", "both/.htaccess=Header set X-H ht", "one/.htaccess=Header set X-H ht", "both/f.txt=f", "one/f.txt=f")
	r := accessed(t, root, "AccessFileName .acl .htaccess\n"+under(root, "AllowOverride All"))
	for path, want := range map[string]string{"both": "acl", "one": "ht"} {
		if got := answered(r.Get("GET /"+path+"/f.txt HTTP/1.1"), "X-H"); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}

// Behind a link that may not be followed lies nothing that counts.
func TestAccessFilesBehindLinks(t *testing.T) {
	root := tree(t, "real/.htaccess=ErrorDocument 403 \"of the file\"\nOptions FollowSymLinks", "real/f.txt=f", "open/.htaccess=Options FollowSymLinks",
		"bad/.htaccess=Nonsense", "bad/f.txt=f", "none/f.txt=f", "none/in/f.txt=f", "deep/in/.htaccess=Options FollowSymLinks", "deep/in/f.txt=f")
	for _, name := range []string{"bad", "none", "deep"} {
		os.Symlink(root+"/"+name, root+"/to-"+name)
	}
	os.Symlink(root+"/real", root+"/link")
	os.Symlink(root+"/real", root+"/open/link")
	r := accessed(t, root, under(root, "AllowOverride All\nOptions None")+"<Directory "+root+"/to-none/in>\nOptions FollowSymLinks\n</Directory>\n")
	for path, want := range map[string]int{"/link/f.txt": 403, "/open/link/f.txt": 200, "/real/f.txt": 200,
		"/to-bad/f.txt": 403, "/to-none/f.txt": 403, "/to-none/in/f.txt": 403, "/to-deep/in/f.txt": 403} {
		x := r.Get("GET " + path + " HTTP/1.1")
		if x.Res.Status != want || want == 403 && strings.Contains(body(x), "of the file") {
			t.Errorf("%s: %d, want %d\n%s", path, x.Res.Status, want, r.Log.Take())
		}
	}
	if log := r.Log.Take(); strings.Count(log, "AH00037: Symbolic link not allowed or link target not accessible: "+root+"/link") != 1 || strings.Contains(log, "Nonsense") {
		t.Error(log)
	}
}

// However deep it nests, and however often it is written, a file costs no more than its bounds.
func TestAccessFilesOfStrangers(t *testing.T) {
	root := tree(t, "f.txt=f")
	r := accessed(t, root, under(root, "AllowOverride All"))
	for _, text := range []string{
		strings.Repeat("<IfModule core.c>\n", 50_000), strings.Repeat("<IfModule nope>\n", 50_000), strings.Repeat("<Files f.txt>\n", 50_000),
		strings.Repeat("<If true>\n", 200) + strings.Repeat("</If>\n", 200),
	} {
		os.WriteFile(root+"/.htaccess", []byte(text), 0o600)
		if x := r.Get("GET /f.txt HTTP/1.1"); x.Res.Status != 500 {
			t.Error(x.Res.Status)
		}
		if log := r.Log.Take(); !strings.Contains(log, "Sections are nested too deeply") {
			t.Errorf("%.200s", log)
		}
	}
}

// Under AllowOverride None no access file is looked at: one that could not even be named costs nothing.
func TestNothingIsLookedAtUnderNone(t *testing.T) {
	root := tree(t, "a/b/c/f.txt=f")
	conf := "AccessFileName a\x00b " + strings.Repeat("x", 5000) + "\n"
	get := func(r *rig) int {
		x := r.Get("GET /a/b/c/f.txt HTTP/1.1")
		body(x)
		return x.Res.Status
	}
	if r := accessed(t, root, conf+under(root, "AllowOverride All")); get(r) != 403 {
		t.Error("a name that the system refuses is passed over")
	}
	none := accessed(t, root, conf+under(root, "AllowOverride None"))
	if get(none) != 200 {
		t.Error(none.Log.Take())
	}
	plain, read := accessed(t, root, under(root, "AllowOverride None")), accessed(t, root, under(root, "AllowOverride All"))
	cost := func(r *rig) float64 { return testing.AllocsPerRun(50, func() { get(r) }) }
	if a, b := cost(none), cost(plain); a != b || b >= cost(read) {
		t.Errorf("%v allocations, %v with the usual name, %v where files are looked for", a, b, cost(read))
	}
}

// TestErrorDocumentBesideABrokenAccessFile: nothing of a folder whose access file can't be taken is served, its own
// error's page neither.
func TestErrorDocumentBesideABrokenAccessFile(t *testing.T) {
	root := tree(t, "d/f.txt=f", "d/e.html=page", "d/.htaccess=Nonsense x", "other/e.html=elsewhere", "link.d/e.html=page")
	os.Symlink(root+"/link.d", root+"/link")
	for _, c := range []struct{ conf, path, want string }{
		{"ErrorDocument 500 /d/e.html", "/d/f.txt", "500 own page"},
		{"ErrorDocument 500 /d/e.html", "/d/", "500 own page"},
		{"ErrorDocument 500 /other/e.html", "/d/f.txt", "500 elsewhere"},
		{"ErrorDocument 403 /link/e.html\nOptions None", "/link/e.html", "403 own page"},
	} {
		r := accessed(t, root, under(root, "AllowOverride All\n")+c.conf+"\n")
		x := r.Get("GET " + c.path + " HTTP/1.1")
		text := body(x)
		if strings.Contains(text, "<html>") {
			text = "own page"
		}
		if got := fmt.Sprint(x.Res.Status, " ", text); got != c.want {
			t.Errorf("%s: %s: %s, want %s\n%s", c.conf, c.path, got, c.want, r.Log.Take())
		}
	}
}

// TestDeepFoldersAreLinear: links are looked for once, not again from the root down in each folder that an access file may
// lie in.
func TestDeepFoldersAreLinear(t *testing.T) {
	cost := func(depth int) float64 {
		path := strings.Repeat("/d", depth) + "/f.txt"
		root := tree(t, path[1:]+"=f")
		r := accessed(t, root, under(root, "AllowOverride All\nOptions SymLinksIfOwnerMatch"))
		return testing.AllocsPerRun(20, func() {
			if x := r.Get("GET " + path + " HTTP/1.1"); body(x) != "f" {
				t.Fatal(x.Res.Status)
			}
		})
	}
	none, some, many := cost(1), cost(16), cost(31)
	if many-some > 1.2*(some-none) {
		t.Errorf("%v allocations, %v with 15 folders more, %v with another 15", none, some, many)
	}
	t.Log(none, some, many)
}

// TestAccessWarningsOnce: what is to be said of an access file is said once for a client's request, lookups and internal
// redirects included, and again for the next.
func TestAccessWarningsOnce(t *testing.T) {
	root := tree(t, ".htaccess=Timeout 5\nErrorDocument 404 /e.html", "e.html=page", "d/index.html=index")
	r := accessed(t, root, under(root, "AllowOverride Nonfatal=All"))
	for range 2 {
		for path, want := range map[string]int{"/d/": 200, "/none": 404} {
			x := r.Get("GET " + path + " HTTP/1.1")
			if log := r.Log.Take(); x.Res.Status != want || strings.Count(log, "AH02295: Timeout in .htaccess forbidden by AllowOverride") != 1 {
				t.Errorf("%s: %d\n%s", path, x.Res.Status, log)
			}
			x.Finish()
		}
	}
}

// httpd 2.4.71 tells what it ignores of an access file at the level that it has in the configuration.
func TestAccessWarningsKeepTheirLevel(t *testing.T) {
	root := tree(t, ".htaccess=Timeout 5\nErrorDocument 401 http://elsewhere/", "f.txt=f")
	r := accessed(t, root, under(root, "AllowOverride All Nonfatal=All"))
	r.Get("GET /f.txt HTTP/1.1").Finish()
	log := r.Log.Take()
	for _, want := range []string{"notice] AH00113: ", "warn] AH02295: "} {
		if !strings.Contains(log, want) {
			t.Errorf("no %s\n%s", want, log)
		}
	}
}
