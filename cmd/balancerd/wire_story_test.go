package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"time"
)

// wire writes the rule's body as it stands in place of an answer, and ends the connection: a line "." is an empty
// one. Behind a 101 it sends back what comes.
func (r *rule) wire(w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer c.Close()
	for i, l := range strings.SplitAfter(r.body, "\n") {
		end := "\r\n"
		if !strings.HasSuffix(l, "\n") && l != "." {
			end = ""
		}
		if l = strings.TrimSuffix(l, "\n"); l == "." {
			l = ""
		}
		if i > 0 || l != "" {
			io.WriteString(c, l+end)
		}
	}
	if strings.HasPrefix(r.body, "HTTP/1.1 101") {
		io.Copy(c, c)
	}
}

// wire sends lines and nothing else, and notes all heads that come back, line by line in alphabetical order.
// Behind a 101 it sends "ping".
func (s *story) wire(text string) {
	head, body, _ := strings.Cut(text, "\n|")
	first, _, _ := strings.Cut(head, "\n")
	fmt.Fprintf(&s.out, "> wire %s\n", strings.ReplaceAll(head, "\n", "\n> "))
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, s.fill(strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body))
	var got []byte
	for p := make([]byte, 64<<10); ; {
		n, err := c.Read(p)
		got = append(got, p[:n]...)
		if first != "" && strings.HasPrefix(string(got), "HTTP/1.1 101") && strings.Contains(string(got), "\r\n\r\n") {
			first = ""
			io.WriteString(c, "ping")
			c.(*net.TCPConn).CloseWrite()
		}
		if err != nil {
			break
		}
	}
	s.out.WriteString(s.plain(heads(string(got))) + "\n\n")
}

// heads puts the lines of each head of an answer in order, without what differs from run to run.
func heads(text string) string {
	var b strings.Builder
	for strings.HasPrefix(text, "HTTP/") {
		head, rest, _ := strings.Cut(text, "\r\n\r\n")
		lines := strings.Split(head, "\r\n")
		sort.Strings(lines[1:])
		for _, l := range lines {
			b.WriteString("< " + plainField(l) + "\n")
		}
		text = rest
	}
	return b.String() + text
}

var (
	ownDate = regexp.MustCompile(`(?i)^Date: .* 20(2[2-9]|[3-9]\d) .*`)
	ownTime = regexp.MustCompile(`(?i)^Last-Modified: .* 20(2[2-9]|[3-9]\d) .*$`)
	ownTag  = regexp.MustCompile(`(W/)?"[0-9a-f]+-[0-9a-f]+"`)
	ownName = regexp.MustCompile(`OpenSSL/\S+`)
)

// plainField is a field without what differs from run to run.
func plainField(l string) string {
	name, value, _ := strings.Cut(l, ": ")
	switch {
	case ownDate.MatchString(l), ownTime.MatchString(l):
		return name + ": (now)"
	case strings.EqualFold(name, "ETag"):
		return ownTag.ReplaceAllString(l, "(tag)")
	case strings.EqualFold(name, "Allow"): // httpd's order is that of a hash
		list := strings.Split(value, ",")
		sort.Strings(list)
		return name + ": " + strings.Join(list, ",")
	case strings.EqualFold(name, "Server"):
		return strings.TrimSpace(ownName.ReplaceAllString(l, ""))
	}
	return l
}
