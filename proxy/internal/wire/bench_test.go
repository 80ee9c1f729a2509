package wire

import (
	"fmt"
	"strings"
	"testing"
)

// heads are requests as they come: of a load generator, a browser, and a large one.
var heads = []struct{ name, text string }{
	{"small", "GET /1k HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"},
	{"browser", "GET /index.html?a=b HTTP/1.1\r\nHost: front.test:8080\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
		"Cookie: JSESSIONID=0123456789abcdef.r1; theme=dark\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Mode: navigate\r\n\r\n"},
	{"large", "POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n" + many(90) + "Cookie: " + strings.Repeat("name=value; ", 300) + "\r\n\r\n"},
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "X-Field-%d: a value of some length, %d\r\n", i, i)
	}
	return b.String()
}

// BenchmarkRequestHead reads the heads of requests; .ci/run holds the figures to limits.
func BenchmarkRequestHead(b *testing.B) {
	for _, c := range heads {
		b.Run(c.name, func(b *testing.B) {
			head := []byte(c.text)
			var r Request
			var h Header
			b.SetBytes(int64(len(head)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := ParseRequest(head, &usual, &r, &h); err != nil || n != len(head) {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkAnswerHead reads the head of a member's response.
func BenchmarkAnswerHead(b *testing.B) {
	head := []byte("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: 1024\r\n" +
		"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\nETag: \"5f3c-400\"\r\nAccept-Ranges: bytes\r\n\r\n")
	rules := ResponseRules{FieldSize: 8192}
	var r Response
	var h Header
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if n, err := ParseResponse(head, &rules, &r, &h); err != nil || n != len(head) {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkChunks takes the chunks of a body of 64 KiB off, each of 8 KiB.
func BenchmarkChunks(b *testing.B) {
	coded := []byte(strings.Repeat("2000\r\n"+strings.Repeat("x", 8192)+"\r\n", 8) + "0\r\n\r\n")
	work := make([]byte, len(coded))
	var c Chunks
	b.SetBytes(int64(len(coded)))
	b.ReportAllocs()
	for b.Loop() {
		copy(work, coded)
		c.Reset(&usual)
		for at := 0; !c.Done(); {
			_, used, err := c.Decode(work[at:])
			if at += used; err != nil {
				b.Fatal(err)
			}
		}
	}
}
