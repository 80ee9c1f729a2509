package dir

import (
	"fmt"
	"testing"
)

func TestRefused(t *testing.T) {
	tests := []struct{ conf, want string }{
		{"DirectoryIndexRedirect x", "DirectoryIndexRedirect ON|OFF|permanent|temp|seeother|3xx"},
		{"DirectoryIndexRedirect 200", "DirectoryIndexRedirect only accepts values between 300 and 399"},
		{"DirectorySlash x", "DirectorySlash must be On or Off"},
		{"DirectoryIndex", ""},
		{"FallbackResource", "FallbackResource takes one argument, Set a default handler"},
	}
	for _, c := range tests {
		if got := refused(c.conf); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.conf, got, c.want)
		}
	}
}

func TestDirectories(t *testing.T) {
	root := tree(t, "d/index.html=d", "php/x", "abs/x", "start.html=start", "e/", "far/x")
	tests := []struct{ conf, request, want string }{
		{"DirectorySlash Off", "/d", "404"},
		{"DirectoryIndex disabled", "/d/", "404"},
		{"DirectoryIndex a b.far", "/php/", "200 member"},
		{"DirectoryIndex /start.html", "/abs/?q", "200 start"},
		{"DirectoryIndexRedirect permanent", "/d/?q", "301 http://localhost/d/index.html"},
		{"FallbackResource /start.html", "/none/at/all?q", "200 start"},
		{"FallbackResource /gone.html", "/none", "500"},
		{"<Location /none>\nFallbackResource /gone.html\n</Location>\nFallbackResource /start.html", "/none", "200 start"},
		{"DirectoryIndex d/", "/", "404"},
		{"<Location /index>\nDirectoryIndex x\n</Location>\nDirectoryIndex d/ index.html", "/e/", "404"},
		{"FallbackResource /x.far", "/none", "200 member"},
		{"FallbackResource disabled", "/none", "404"},
		{"LoadModule autoindex_module x", "/e/", "403"},
		{"LoadModule autoindex_module x\nOptions Indexes", "/e/", "403"},
		{"<Location /d>\nSetHandler nobody\n</Location>", "/d", "301 http://localhost/d/"},
		{"<Location /d>\nSetHandler nobody\n</Location>\nDirectoryCheckHandler On", "/d/", "404"},
		{"<Location /d>\nSetHandler nobody\n</Location>", "/d/", "200 d"},
		{"AcceptPathInfo On", "/start.html/more", "200 start"},
		{"DirectoryIndex d/index.html", "/", "200 d"},
	}
	for _, c := range tests {
		r := serving(t, root, c.conf+"\n")
		x := r.Get("GET " + c.request + " HTTP/1.1")
		got := fmt.Sprint(x.Res.Status)
		if x.Res.Status < 300 {
			got += " " + body(x)
		} else if l := answered(x, "Location"); l != "" {
			got += " " + l
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s\n%s", c.conf, c.request, got, c.want, r.Log.Take())
		}
	}
	r := serving(t, root, "LoadModule autoindex_module x\nDirectoryIndex a.html b.html\n")
	r.Get("GET /e/ HTTP/1.1")
	if log := r.Log.Take(); log != "[autoindex:error] AH01276: Cannot serve directory "+root+"/e/: No matching DirectoryIndex (a.html,b.html) found, and server-generated directory index forbidden by Options directive" {
		t.Error(log)
	}
}
