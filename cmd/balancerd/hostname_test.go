package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A client's name that Require host has looked up is in the log, and in REMOTE_HOST, from then on: of the peer for as long as
// the connection lasts, of a client that a field names for that request. As httpd 2.4.71 has it.
func TestLookedUpNamesAreLogged(t *testing.T) {
	t.Parallel()
	if names, err := net.LookupAddr("127.0.0.1"); err != nil || len(names) == 0 || strings.TrimSuffix(names[0], ".") != "localhost" {
		t.Skip("127.0.0.1 is not localhost here: ", names, err)
	}
	p := newInstance(t)
	p.conf("LoadModule authz_host_module x\nLoadModule headers_module x\nLoadModule remoteip_module x\nRemoteIPHeader X-C\nRemoteIPInternalProxy 127.0.0.1\n" +
		"LogFormat \"%U %h %{c}h %a\" who\nCustomLog who.log who\nHeader set X-Host expr=%{REMOTE_HOST}\n<Location /host>\nRequire host localhost\n</Location>\n" + passAll)
	p.start()
	var shown []string
	for _, list := range [][]string{{"/a", "/host", "/b"}, {"/host from 127.0.0.1", "/c"}, {"/host", "/d from 127.0.0.9"}} {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(c)
		for _, q := range list {
			path, from, named := strings.Cut(q, " from ")
			field := ""
			if named {
				field = "X-C: " + from + "\r\n"
			}
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", path, field)
			r, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(q, err)
			}
			io.Copy(io.Discard, r.Body)
			shown = append(shown, r.Header.Get("X-Host"))
		}
		c.Close()
	}
	want := "/a 127.0.0.1 127.0.0.1 127.0.0.1\n/host localhost localhost 127.0.0.1\n/b localhost localhost 127.0.0.1\n" +
		"/host localhost 127.0.0.1 127.0.0.1\n/c 127.0.0.1 127.0.0.1 127.0.0.1\n/host localhost localhost 127.0.0.1\n/d 127.0.0.9 localhost 127.0.0.9\n"
	p.until("all is logged", func() bool { return strings.Count(p.read("who.log"), "\n") == 7 })
	if got := p.read("who.log"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := strings.Join(shown, " "); got != "127.0.0.1 localhost localhost localhost 127.0.0.1 localhost 127.0.0.9" {
		t.Error(got)
	}
}
