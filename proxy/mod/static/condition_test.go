package static

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestETags(t *testing.T) {
	root := tree(t, "f.txt=x", "sub/f.txt=x")
	fi, _ := os.Stat(root + "/f.txt")
	sub, _ := os.Stat(root + "/sub/f.txt")
	tests := []struct{ conf, want, below string }{ // below: with FileETag -Size inside
		{"+INode", `"I"`, `"I"`},
		{"-Size", `"1-60a24181e4000"`, `"1-60a24181e4000"`},
		{"None", "", ""},
		{"All", `"I-1-60a24181e4000"`, `"I-60a24181e4000"`},
		{"INode", `"I"`, `"I"`},
		{"+INode -MTime", `"I"`, `"I"`},
		{"MTime Size", `"1-60a24181e4000"`, `"60a24181e4000"`},
		{"Digest", `"EfatjsUqKYSrqv18O1FlA3hcIHI="`, `"EfatjsUqKYSrqv18O1FlA3hcIHI="`},
		{"All -INode", `"1-60a24181e4000"`, `"60a24181e4000"`},
		{"-MTime -Size", `"1-60a24181e4000"`, `"1-60a24181e4000"`},
	}
	for _, c := range tests {
		r := serving(t, root, "FileETag "+c.conf+"\n<Directory "+root+"/sub>\nFileETag -Size\n</Directory>\n")
		want := strings.Replace(c.want, "I", fmt.Sprintf("%x", inode(fi)), 1)
		below := strings.Replace(c.below, "I", fmt.Sprintf("%x", inode(sub)), 1)
		if c.conf == "Digest" {
			want, below = c.want, c.below
		}
		if got := answered(r.Get("GET /f.txt HTTP/1.1"), "ETag"); got != want {
			t.Errorf("%s: %s, want %s", c.conf, got, want)
		}
		if got := answered(r.Get("GET /sub/f.txt HTTP/1.1"), "ETag"); got != below {
			t.Errorf("%s below: %s, want %s", c.conf, got, below)
		}
	}
	os.WriteFile(root+"/new.txt", nil, 0o600)
	if got := answered(serving(t, root, "").Get("GET /new.txt HTTP/1.1"), "ETag"); !strings.HasPrefix(got, `W/"0-`) {
		t.Error(got)
	}
}

// What httpd 2.4.71 answered to the same fields.
func TestConditions(t *testing.T) {
	const at, before, future = "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:19 GMT", "Tue, 14 Nov 2043 22:13:19 GMT"
	const tag = `"64-60a24181e4000"`
	r := serving(t, tree(t, "f.txt="+strings.Repeat("0123456789", 10)), "")
	tests := []struct {
		fields string
		want   int
	}{
		{"If-Modified-Since: " + at, 304},
		{"If-Modified-Since: " + before, 200},
		{"If-Modified-Since: " + future, 200},
		{"If-Modified-Since: junk", 200},
		{"If-None-Match: " + tag, 304},
		{"If-None-Match: W/" + tag, 304},
		{`If-None-Match: "a", ` + tag, 304},
		{"If-None-Match: *", 304},
		{"If-None-Match: \"z\"\nIf-Modified-Since: " + at, 200},
		{"If-None-Match: " + tag + "\nIf-Modified-Since: " + before, 200},
		{"If-Match: " + tag, 200},
		{`If-Match: "x"`, 412},
		{"If-Match: *", 200},
		{"If-Match: W/" + tag, 412},
		{"If-Unmodified-Since: " + at, 200},
		{"If-Unmodified-Since: " + before, 412},
		{"If-Unmodified-Since: " + at + "\nIf-Modified-Since: " + at, 200},
		{"If-None-Match: " + tag + "\nRange: bytes=0-1", 304},
		{"If-Modified-Since: " + at + "\nRange: bytes=0-1", 304},
		{"If-Match: \"x\"\nRange: bytes=0-1", 412},
		{"Range: bytes=0-1\nIf-Range: " + tag, 206},
		{"Range: bytes=0-1\nIf-Range: \"x\"", 200},
		{"Range: bytes=0-1\nIf-Range: " + at, 206},
		{"Range: bytes=0-1\nIf-Range: " + future, 200},
	}
	for _, c := range tests {
		x := r.Get("GET /f.txt HTTP/1.1\n" + c.fields)
		if x.Res.Status != c.want || answered(x, "ETag") != tag || x.Res.ErrorPage {
			t.Errorf("%s: %d, want %d", c.fields, x.Res.Status, c.want)
		}
		body(x)
	}
	if x := r.Get("POST /f.txt HTTP/1.1\nIf-None-Match: *"); x.Res.Status != 412 {
		t.Error(x.Res.Status)
	}
}

// What httpd 2.4.71 made of Range fields for a hundred bytes.
func TestRanges(t *testing.T) {
	r := serving(t, tree(t, "f.txt="+strings.Repeat("0123456789", 10), "empty.txt=", "noext=0123456789"), "")
	tests := []struct{ field, want string }{
		{"bytes=0-4", "206 0-4/100 01234"},
		{"bytes=95-", "206 95-99/100 56789"},
		{"bytes=-5", "206 95-99/100 56789"},
		{"bytes=200-", "416"},
		{"bytes=90-200", "206 90-99/100 0123456789"},
		{"bytes=5-1", "200"},
		{"bytes=x", "200"},
		{"items=0-1", "200"},
		{"bytes=0-1,1-6", "206 0-6/100 0123456"},
		{"bytes=0-1,2-3", "206 0-3/100 0123"},
		{"bytes=0-1,200-300", "206 0-1/100 01"},
		{"bytes=", "200"},
		{"bytes=,", "200"},
		{"bytes=0-1,x", "200"},
		{"bytes=-0", "200"},
		{"bytes=200-,300-", "416"},
		{"Bytes=0-4", "206 0-4/100 01234"},
		{"bytes= 0-4", "200"},
		{"bytes=0-4, 6-7", "200"},
		{"bytes=5-6,0-1", "206 \r\n--B\r\nContent-type: text/plain\r\nContent-range: bytes 5-6/100\r\n\r\n56\r\n--B\r\nContent-type: text/plain\r\nContent-range: bytes 0-1/100\r\n\r\n01\r\n--B--\r\n"},
		{"bytes=0-0,-1", "206 \r\n--B\r\nContent-type: text/plain\r\nContent-range: bytes 0-0/100\r\n\r\n0\r\n--B\r\nContent-type: text/plain\r\nContent-range: bytes 99-99/100\r\n\r\n9\r\n--B--\r\n"},
	}
	for _, c := range tests {
		x := r.Get("GET /f.txt HTTP/1.1\nRange: " + c.field)
		got := fmt.Sprint(x.Res.Status)
		if x.Res.Status == 206 {
			length := x.Res.Length
			text := body(x)
			if int64(len(text)) != length {
				t.Errorf("%s: %d bytes announced, %d sent", c.field, length, len(text))
			}
			if _, b, ok := strings.Cut(answered(x, "Content-Type"), "multipart/byteranges; boundary="); ok {
				text = strings.ReplaceAll(text, b, "B")
			}
			got = strings.TrimRight("206 "+strings.TrimPrefix(answered(x, "Content-Range"), "bytes "), " ") + " " + text
		}
		if got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.field, got, c.want)
		}
	}
	for field, want := range map[string]int64{"bytes=0-": 100, "bytes=-500": 100, "bytes=0-60,50-99": 100, "bytes=0-49,20-99,70-80": 100} {
		if x := r.Get("GET /f.txt HTTP/1.1\nRange: " + field); x.Res.Status != 206 || x.Res.Length != want || answered(x, "Content-Range") != "bytes 0-99/100" {
			t.Errorf("%s: %d %d %s", field, x.Res.Status, x.Res.Length, answered(x, "Content-Range"))
		}
	}
	if x := r.Get("GET /empty.txt HTTP/1.1\nRange: bytes=0-1"); x.Res.Status != 200 {
		t.Error(x.Res.Status)
	}
	if x := r.Get("GET /noext HTTP/1.1\nRange: bytes=0-1,5-6"); strings.Contains(body(x), "Content-type") {
		t.Error("a type was made up")
	}
	r = serving(t, tree(t, "f.txt=0123456789"), "MaxRanges none\n")
	if x := r.Get("GET /f.txt HTTP/1.1\nRange: bytes=0-1"); x.Res.Status != 200 || answered(x, "Accept-Ranges") != "none" {
		t.Error(x.Res.Status, answered(x, "Accept-Ranges"))
	}
	r = serving(t, tree(t, "f.txt=0123456789"), "MaxRanges 2\n")
	if x := r.Get("GET /f.txt HTTP/1.1\nRange: bytes=0-0,2-2,4-4"); x.Res.Status != 200 {
		t.Error(x.Res.Status)
	}
}
