package frames

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"balancerd/proxy/internal/wire"
)

// decoded is what a strict decoder makes of a block.
func decoded(t *testing.T, d *hpack.Decoder, b []byte) []hpack.HeaderField {
	t.Helper()
	list, err := d.DecodeFull(b)
	if err != nil {
		t.Fatalf("%v: %x", err, b)
	}
	return list
}

// What is encoded is what hpack's decoder sees, in whatever order fields come and however small the client's table is.
func FuzzEncoder(f *testing.F) {
	f.Add("Content-Type\ntext/html\nX-A\n1\nContent-Type\ntext/html\nX-A\n2\nX-A\n1", uint32(100))
	f.Add("Set-Cookie\na=b\nServer\nApache\nDate\nx\nServer\nApache\nServer\nnginx", uint32(4096))
	f.Add(strings.Repeat("x-y\n"+strings.Repeat("v", 500)+"\nX-Y\nw\n", 20), uint32(0))
	f.Fuzz(func(t *testing.T, text string, limit uint32) {
		enc := NewEncoder()
		d := hpack.NewDecoder(TableSize, nil)
		words := strings.Split(text, "\n")
		for round := range 3 {
			if round == 1 {
				enc.Limit(limit)
				d.SetAllowedMaxDynamicTableSize(min(limit, TableSize))
			}
			b := enc.Status(enc.Begin(nil), 200+round)
			for i := 0; i+1 < len(words); i += 2 {
				b = enc.Field(b, wire.IDOf(words[i]), words[i], words[i+1])
			}
			list := decoded(t, d, b)
			if len(list) != 1+len(words)/2 || list[0].Name != ":status" || list[0].Value != strconv.Itoa(200+round) {
				t.Fatalf("%q from %q", list, words)
			}
			for i, got := range list[1:] {
				if name, value := words[2*i], words[2*i+1]; !wire.EqualFold(got.Name, name) || got.Value != value {
					t.Fatalf("%q: %q, not %q", got, name, value)
				}
			}
			if enc.size > enc.max || enc.size < 0 {
				t.Fatal(enc.size, enc.max)
			}
		}
	})
}

// A field that comes again is a byte or two; one of those that never do is not in the table.
func TestEncoderIndexes(t *testing.T) {
	enc := NewEncoder()
	first := enc.Field(nil, wire.ContentType, "", "text/html; charset=utf-8")
	second := enc.Field(nil, wire.ContentType, "Content-TYPE", "text/html; charset=utf-8")
	if len(first) < 10 || len(second) != 1 {
		t.Errorf("%x %x", first, second)
	}
	for _, name := range []string{"Set-Cookie", "ETag", "Content-Length", "Last-Modified", "Location", "Age"} {
		enc.Field(nil, wire.IDOf(name), name, "a value")
	}
	if len(enc.table) != 1 {
		t.Error(enc.table)
	}
	for status := 100; status < 1000; status++ {
		d := hpack.NewDecoder(TableSize, nil)
		if list := decoded(t, d, enc.Status(nil, status)); list[0].Value != strconv.Itoa(status) {
			t.Error(status, list)
		}
	}
}
