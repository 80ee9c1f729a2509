package static

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// head is the fields of a response in one line.
func head(r *rig, request string) string {
	x := r.Get(request)
	out := fmt.Sprint(x.Res.Status)
	for _, f := range x.Res.Header.F {
		out += "|" + f.Name + ": " + f.Value
	}
	for _, f := range x.Res.Always.F {
		out += "|" + f.Name + ": " + f.Value
	}
	if x.Res.ErrorPage {
		return out
	}
	return out + "|" + fmt.Sprint(x.Res.Length) + "|" + body(x)
}

func TestRefused(t *testing.T) {
	tests := []struct{ conf, want string }{
		{"FileETag foo", "Unknown keyword 'foo' for FileETag directive"},
		{"FileETag +None", "FileETag keyword 'None' cannot be used with '+' or '-'"},
		{"FileETag +INode -Size", ""},
		{"Options Foo", "Illegal option Foo"},
		{"Options -All", "You may not use 'Options +All' or 'Options -All'."},
		{"Options Indexes None", "'Options None' must be the first Option given."},
		{"Options +Indexes FollowSymLinks", "Either all Options must start with + or -, or no Option may."},
		{"Options Indexes +FollowSymLinks", "Either all Options must start with + or -, or no Option may."},
		{"Options None", ""},
		{"Options None +Indexes", ""},
		{"Options +None", "You may not use 'Options +None' or 'Options -None'."},
		{"Options ++Indexes", "Illegal option +Indexes"},
		{"Options Indexes All", "'Options All' must be the first option given."},
		{"FileETag LMTime", ""},
		{"FileETag +foo", "Unknown keyword 'foo' for FileETag directive"},
		{"ReadBufferSize -1", "parameter must be a number between 0 and (4294967295U)): -1"},
		{"<Directory /x>\nAllowOverride Options=Indexes,Foo\n</Directory>", "Illegal option Foo"},
		{"<Directory /x>\nAllowOverride Options=Indexes,FollowSymLinks\n</Directory>", ""},
		{"AllowOverride Foo", "AllowOverride not allowed here"},
		{"<Directory /x>\nAllowOverride Foo\n</Directory>", "Illegal override option Foo"},
		{"<Directory /x>\nAllowOverride Nonfatal\n</Directory>", "=Override, =Unknown or =All expected after Nonfatal"},
		{"<Directory /x>\nAllowOverrideList None A\n</Directory>", "'None' not allowed with other directives in AllowOverrideList"},
		{"<Directory /x>\nAllowOverrideList Foo\n</Directory>", ""},
		{"AcceptPathInfo x", "AcceptPathInfo must be set to on, off or default"},
		{"EnableMMAP x", "parameter must be 'on' or 'off'"},
		{"ReadBufferSize x", "parameter must be a number between 0 and (4294967295U)): x"},
		{"ReadBufferSize 8192", ""},
		{"MaxRanges 0", "MaxRanges requires 'none', 'default', 'unlimited' or a positive integer"},
		{"MaxRangeOverlaps -1", "MaxRangeOverlaps requires 'none', 'default', 'unlimited' or a positive integer"},
		{"MaxRangeReversals unlimited", ""},
	}
	for _, c := range tests {
		if got := refused(c.conf); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.conf, got, c.want)
		}
	}
}

func TestDocuments(t *testing.T) {
	root := tree(t, "f.txt=0123456789", "d/index.html=index!", "e/", "noext=hi", "sp ace/index.html=s", "q?/index.html=q", "a.far/")
	r := serving(t, root, "DirectoryIndex nope.html index.html\n<Location /own>\nSetHandler nobody\n</Location>\n")
	const page = "|Content-Type: text/html; charset=iso-8859-1"
	const file = `200|Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT|ETag: "a-60a24181e4000"|Accept-Ranges: bytes|Content-Type: text/plain|10|0123456789`
	tests := []struct{ request, want, log string }{
		{"GET /f.txt", file, ""},
		{"POST /f.txt", file, ""},
		{"GET /f.txt/", "404" + page, "[core:info] AH00130: File does not exist: $/f.txt/"},
		{"GET /f.txt/extra", "404" + page, "[core:info] AH00130: File does not exist: $/f.txt/extra"},
		{"GET /none/x/y", "404" + page, "[core:info] AH00128: File does not exist: $/none/x/y"},
		{"GET /noext", `200|Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT|ETag: "2-60a24181e4000"|Accept-Ranges: bytes|2|hi`, ""},
		{"GET /d", "301" + page + "|Location: http://localhost/d/", ""},
		{"GET /d?q=1", "301" + page + "|Location: http://localhost/d/?q=1", ""},
		{"GET /sp%20ace", "301" + page + "|Location: http://localhost/sp%20ace/", ""},
		{"GET /d/", `200|Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT|ETag: "6-60a24181e4000"|Accept-Ranges: bytes|Content-Type: text/html|6|index!`, ""},
		{"GET /e/", "404" + page, "[core:info] AH00129: Attempt to serve directory: $/e/"},
		{"POST /e/", "404" + page, "AH00129"},
		{"OPTIONS /f.txt", "200|Allow: HEAD,GET,POST,OPTIONS,TRACE|Content-Type: text/plain|0|", ""},
		{"OPTIONS /none", "200|Allow: HEAD,GET,POST,OPTIONS,TRACE|0|", ""},
		{"OPTIONS /d/", "200|Allow: HEAD,GET,POST,OPTIONS,TRACE|Content-Type: text/html|0|", ""},
		{"PUT /f.txt", "405|Allow: HEAD,GET,POST,OPTIONS,TRACE" + page, ""},
		{"PUT /e/", "405|Allow: HEAD,GET,POST,OPTIONS,TRACE" + page, ""},
		{"FOO /f.txt", "501|Allow: HEAD,GET,POST,OPTIONS,TRACE" + page, "[core:error] AH00135: Invalid method in request FOO /f.txt HTTP/1.1"},
		{"GET /../f.txt", "400" + page, "AH10244"},
		{"GET /%2e%2e/f.txt", "400" + page, ""},
		{"GET /d/..%2ff.txt", "404" + page, ""},
		{"GET /f.txt%00", "404" + page, ""},
	}
	for _, c := range tests {
		got := head(r, c.request+" HTTP/1.1")
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.request, got, c.want)
		}
		if log := strings.ReplaceAll(r.Log.Take(), root, "$"); !strings.Contains(log, c.log) {
			t.Errorf("%s: logged %s, want %s", c.request, log, c.log)
		}
	}
	if x := r.Get("GET /d/ HTTP/1.1"); x.Req.Path != "/d/index.html" || x.Filename != root+"/d/index.html" {
		t.Error(x.Req.Path, x.Filename)
	}
	if x := r.Get("GET /f.txt/more HTTP/1.1"); x.Filename != root+"/f.txt" || x.PathInfo != "/more" {
		t.Error(x.Filename, x.PathInfo)
	}
}

func TestLinks(t *testing.T) {
	root, other := tree(t, "d/f.txt=f", "real/x/f.txt=r"), tree(t, "f.txt=outside")
	os.Symlink(other+"/f.txt", root+"/d/link")
	os.Symlink("/nonexistent", root+"/d/broken")
	os.Symlink(root+"/real", root+"/alias")
	tests := []struct{ conf, request, want string }{
		{"", "/d/link", "200"},
		{"", "/d/broken", "403"},
		{"", "/alias/x/f.txt", "200"},
		{"Options None", "/d/f.txt", "200"},
		{"Options None", "/d/link", "403"},
		{"Options SymLinksIfOwnerMatch", "/d/link", "200"},
		{"<Directory " + root + "/d>\nOptions -FollowSymLinks\n</Directory>", "/d/link", "403"},
		{"<Directory " + root + "/d>\nOptions -FollowSymLinks\n</Directory>", "/alias/x/f.txt", "200"},
		{"<Directory " + root + "/alias/x>\nOptions None\n</Directory>", "/alias/x/f.txt", "200"},
		{"Options None\n<Directory " + root + "/alias>\nOptions FollowSymLinks\n</Directory>", "/alias/x/f.txt", "403"},
	}
	for _, c := range tests {
		r := serving(t, root, c.conf+"\n")
		x := r.Get("GET " + c.request + " HTTP/1.1")
		if got := fmt.Sprint(x.Res.Status); got != c.want {
			t.Errorf("%s %s: %s, want %s\n%s", c.conf, c.request, got, c.want, r.Log.Take())
		}
		body(x)
	}
	r := serving(t, root, "Options None\n")
	r.Get("GET /d/link HTTP/1.1")
	if log := r.Log.Take(); log != "[core:error] AH00037: Symbolic link not allowed or link target not accessible: "+root+"/d/link" {
		t.Error(log)
	}
}

// Where access files are looked at.
func TestWhereAccessFilesCount(t *testing.T) {
	root := tree(t, "d/f.txt=f", "d/.htaccess=Nonsense", "e/f.txt=e", "c/f.txt=c", "c/.htaccess=# nothing\n\n")
	tests := []struct{ conf, request, want string }{
		{"", "/d/f.txt", "500"},
		{"", "/e/f.txt", "200"},
		{"", "/c/f.txt", "200"},
		{"AccessFileName .acl", "/d/f.txt", "200"},
		{"<Directory />\nAllowOverride None\n</Directory>", "/d/f.txt", "200"},
		{"<Directory />\nAllowOverride All\n</Directory>", "/d/f.txt", "500"},
		{"<Directory />\nAllowOverride All\n</Directory>", "/e/f.txt", "200"},
		{"<Directory />\nAllowOverride All\n</Directory>\nAccessFileName .acl", "/d/f.txt", "200"},
		{"<Directory " + root + "/d>\nAllowOverrideList AddType\n</Directory>", "/d/f.txt", "500"},
		{"<Directory " + root + "/e>\nAllowOverride All\n</Directory>", "/d/f.txt", "500"},
	}
	for _, c := range tests {
		r := serving(t, root, c.conf+"\n")
		x := r.Get("GET " + c.request + " HTTP/1.1")
		if got := fmt.Sprint(x.Res.Status); got != c.want {
			t.Errorf("%s %s: %s, want %s\n%s", c.conf, c.request, got, c.want, r.Log.Take())
		}
	}
}

func TestSpecialFiles(t *testing.T) {
	root := tree(t, "d/x")
	mkfifo(t, root+"/pipe")
	r := serving(t, root, "")
	if x := r.Get("GET /pipe HTTP/1.1"); x.Res.Status != 403 {
		t.Error(x.Res.Status)
	}
	if log := r.Log.Take(); !strings.Contains(log, "AH00038: Forbidden: "+root+"/pipe doesn't point to a file or directory") {
		t.Error(log)
	}
}

// The source of a script is not given away.
func TestScripts(t *testing.T) {
	root := tree(t, "x.cgi=#!/bin/sh", "x.php=<?php", "x.bar=bar")
	r := serving(t, root, "AddHandler cgi-script .cgi\nAddHandler application/x-httpd-php .php\nAddHandler foo-bar .bar\n")
	for path, want := range map[string]int{"/x.cgi": 403, "/x.php": 403, "/x.bar": 200} {
		if x := r.Get("GET " + path + " HTTP/1.1"); x.Res.Status != want {
			t.Errorf("%s: %d", path, x.Res.Status)
		}
	}
}

// A proxied response with a type costs no allocation here.
func TestReplyAllocatesNothing(t *testing.T) {
	r := serving(t, tree(t, "f"), "AddDefaultCharset utf-8\n")
	x := r.Get("GET /proxied/x.html HTTP/1.1\nX-Answer: Content-Type: image/png")
	p := planOf(r)
	if n := testing.AllocsPerRun(100, func() { p.addCharset(t.Context(), x) }); n != 0 {
		t.Error(n)
	}
}
