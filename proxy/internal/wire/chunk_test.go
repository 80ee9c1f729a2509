package wire

import (
	"strings"
	"testing"
)

// decodeAll feeds body in pieces of a size.
func decodeAll(rules *Rules, body string, size int) (data, rest string, done bool, h Header, err error) {
	var c Chunks
	c.Reset(rules)
	var out strings.Builder
	for body != "" && !c.Done() {
		b := []byte(body[:min(size, len(body))])
		n, used, derr := c.Decode(b)
		out.Write(b[:n])
		body = body[used:]
		if derr != nil {
			return out.String(), body, false, h, derr
		}
	}
	c.Trailer(&h)
	return out.String(), body, c.Done(), h, nil
}

func TestChunks(t *testing.T) {
	long := strings.Repeat("e", 9000)
	for _, c := range []struct {
		body, data, rest string
		strict, unsafe   error
		open             bool // not done
	}{
		{body: "5\r\nhello\r\n0\r\n\r\nnext", data: "hello", rest: "next"},
		{body: "3\r\nhel\r\n02\r\nlo\r\n000\r\n\r\n", data: "hello"},
		{body: "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", data: "01234567890123456789"},
		{body: "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", data: "hello"},
		{body: "5   \r\nhello\r\n0\r\n\r\n", data: "hello"},
		{body: "5          \r\nhello\r\n0\r\n\r\n", data: "hello"},
		{body: "5           \r\nhello\r\n0\r\n\r\n", strict: ErrChunk, unsafe: ErrChunk},
		{body: "5\r\nhello\r\n0\r\nA: 1\r\nB: 2\r\n\r\nnext", data: "hello", rest: "next"},
		{body: "5\nhello\n0\n\n", data: "hello", strict: ErrChunk},
		{body: "5\r\nhello\n0\r\n\r\n", data: "hello", strict: ErrChunk},
		{body: "5\r\nhello\r\n0\r\nA: 1\n\n", data: "hello", strict: ErrTrailer},
		{body: "0x5\r\nhello\r\n0\r\n\r\n", strict: ErrChunk, unsafe: ErrChunk},
		{body: "+5\r\nhello\r\n", strict: ErrChunk, unsafe: ErrChunk},
		{body: "-1\r\n\r\n", strict: ErrChunk, unsafe: ErrChunk},
		{body: " 5\r\nhello\r\n", strict: ErrChunk, unsafe: ErrChunk},
		{body: "\r\n", strict: ErrChunk, unsafe: ErrChunk},
		{body: ";a\r\n", strict: ErrChunk, unsafe: ErrChunk},
		{body: "5 5\r\nhello\r\n", strict: ErrChunk, unsafe: ErrChunk},
		{body: "5_\r\nhello\r\n", strict: ErrChunk, unsafe: ErrChunk},
		{body: "5\r\nhelloX\r\n", data: "hello", strict: ErrChunk, unsafe: ErrChunk},
		{body: "5\rXhello", strict: ErrChunk, unsafe: ErrChunk},
		{body: "5;a\rb\r\nhello", strict: ErrChunk, unsafe: ErrChunk},
		{body: "5;a\x01\r\nhello", strict: ErrChunk, unsafe: ErrChunk},
		{body: "5;a\nhello\r\n0\r\n\r\n", data: "hello", strict: ErrChunk},
		{body: "7fffffffffffffff\r\n", open: true},
		{body: "8000000000000000\r\n", strict: ErrChunkSize, unsafe: ErrChunkSize},
		{body: "ffffffffffffffffff\r\n", strict: ErrChunkSize, unsafe: ErrChunkSize},
		{body: strings.Repeat("0", 100) + "5\r\nhello\r\n0\r\n\r\n", data: "hello"},
		{body: strings.Repeat("0", 9000) + "5\r\n", strict: ErrChunkSize, unsafe: ErrChunkSize},
		{body: "5;" + long + "\r\n", strict: ErrChunkSize, unsafe: ErrChunkSize},
		{body: strings.Repeat("1;"+long[:8000]+"\r\nx\r\n", 9), data: "xxxxxxxx", strict: ErrChunk, unsafe: ErrChunk},
		{body: "0\r\nA : 1\r\n\r\n", strict: ErrTrailer, unsafe: ErrTrailer},
		{body: "0\r\n" + strings.Repeat("A: 1\r\n", 101) + "\r\n", strict: ErrTrailer, unsafe: ErrTrailer},
		{body: "0\r\nA: " + long, strict: ErrTrailer, unsafe: ErrTrailer},
		{body: "0\r\n" + strings.Repeat("A: "+long[:8000]+"\r\n", 9), strict: ErrTrailer, unsafe: ErrTrailer},
		{body: "5\r\nhel", data: "hel", open: true},
		{body: "0\r\n", open: true},
	} {
		for rules, want := range map[*Rules]error{&usual: c.strict, ptr(unsafeRules()): c.unsafe} {
			for _, size := range []int{1, 2, 7, 1 << 20} {
				data, rest, done, _, err := decodeAll(rules, c.body, size)
				if err != want {
					t.Errorf("%.40q by %d (unsafe %v): %v, want %v", c.body, size, rules.Unsafe, err, want)
					continue
				}
				if err == nil && (data != c.data || rest != c.rest || done == c.open) {
					t.Errorf("%.40q by %d: %q and %q, done %v", c.body, size, data, rest, done)
				}
			}
		}
	}
}

func TestTrailer(t *testing.T) {
	_, _, _, h, err := decodeAll(&usual, "0\r\nX-A: 1\r\nX-B: 2\r\n 3\r\nx-a: 4\r\n\r\n", 3)
	if err != nil || list(&h) != "X-A=1, 4 X-B=2 3" {
		t.Errorf("%v %q", err, list(&h))
	}
}

// Skip is for data that is read past the decoder.
func TestSkip(t *testing.T) {
	var c Chunks
	c.Reset(&usual)
	if n, used, err := c.Decode([]byte("a\r\n012")); n != 3 || used != 6 || err != nil || c.Left() != 7 {
		t.Fatalf("%d %d %v, %d left", n, used, err, c.Left())
	}
	c.Skip(7)
	if n, used, err := c.Decode([]byte("\r\n0\r\n\r\n")); n != 0 || used != 7 || err != nil || !c.Done() {
		t.Errorf("%d %d %v", n, used, err)
	}
}

func TestChunkHead(t *testing.T) {
	for n, want := range map[int]string{1: "1\r\n", 255: "ff\r\n", 1<<63 - 1: "7fffffffffffffff\r\n"} {
		if got := string(AppendChunkHead(nil, n)); got != want || len(got) > ChunkHead {
			t.Errorf("%d: %q", n, got)
		}
	}
}
