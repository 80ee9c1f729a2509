package wire

import (
	"bytes"
	"errors"
)

// Chunks decodes a chunked body (RFC 9112 section 7.1). Make one with its Reset.
type Chunks struct {
	state   chunkState
	unsafe  bool
	digits  int   // significant ones of the size
	blanks  int   // behind the size
	line    int   // bytes of the size line so far
	extra   int   // bytes of extensions so far, of all chunks
	left    int64 // of the chunk
	trailer []byte
	open    int // bytes of the trailer's last line so far
	rules   *Rules
}

type chunkState uint8

const (
	chunkSize  chunkState = iota // the first digit
	chunkMore                    // further digits
	chunkBlank                   // blanks behind the digits
	chunkExt                     // an extension
	chunkLF                      // the line feed of the size line
	chunkData
	chunkEnd // the line end behind the data
	chunkEndLF
	chunkTrailer
	chunkDone
)

// The faults of a chunked body.
var (
	ErrChunk     = errors.New("wire: malformed chunk") // 400
	ErrChunkSize = errors.New("wire: chunk too large") // 413: the size does not fit, or its line is too long
	ErrTrailer   = errors.New("wire: malformed trailer")
)

const (
	maxChunkBlanks = 10       // behind a size (httpd: http_filters.c parse_chunk_size)
	maxExtensions  = 64 << 10 // of a whole body
	maxTrailer     = 64 << 10
)

// Reset begins a body. Of the rules, Unsafe lets bare line feeds pass, FieldSize bounds a size line,
// and all hold for the trailer.
func (c *Chunks) Reset(rules *Rules) {
	*c = Chunks{rules: rules, unsafe: rules.Unsafe, trailer: c.trailer[:0]}
}

// Done reports whether the body has ended, its trailer included.
func (c *Chunks) Done() bool { return c.state == chunkDone }

// Left is how many bytes of the chunk under way are still to come.
func (c *Chunks) Left() int64 {
	if c.state != chunkData {
		return 0
	}
	return c.left
}

// Skip takes n bytes of the chunk under way as read; n is at most Left.
func (c *Chunks) Skip(n int64) {
	if c.left -= n; c.left == 0 {
		c.state = chunkEnd
	}
}

// Decode decodes b in place: the body's bytes stand at its beginning afterwards, n of them, and used
// of b were looked at; what follows them belongs to the next message when the body is Done, else used
// is all of b.
func (c *Chunks) Decode(b []byte) (n, used int, err error) {
	for used < len(b) && c.state != chunkDone {
		switch c.state {
		case chunkData:
			k := int(min(int64(len(b)-used), c.left))
			if n != used {
				copy(b[n:], b[used:used+k])
			}
			n += k
			used += k
			c.Skip(int64(k))
		case chunkTrailer:
			k, err := c.collect(b[used:])
			used += k
			if err != nil {
				return n, used, err
			}
		default:
			if err := c.step(b[used]); err != nil {
				return n, used, err
			}
			used++
		}
	}
	return n, used, nil
}

// step takes one byte of the lines around the data.
func (c *Chunks) step(b byte) error {
	switch c.state {
	case chunkSize, chunkMore, chunkBlank, chunkExt, chunkLF:
		if c.line++; c.line > c.rules.FieldSize {
			return ErrChunkSize
		}
		return c.sizeLine(b)
	case chunkEnd:
		switch {
		case b == '\r':
			c.state = chunkEndLF
		case b == '\n' && c.unsafe:
			c.state = chunkSize
		default:
			return ErrChunk
		}
	case chunkEndLF:
		if b != '\n' {
			return ErrChunk
		}
		c.state = chunkSize
	}
	return nil
}

// sizeLine takes one byte of a size line (httpd: http_filters.c parse_chunk_size).
func (c *Chunks) sizeLine(b byte) error {
	if c.state == chunkSize {
		if hexDigit(b) < 0 {
			return ErrChunk
		}
		c.state, c.left, c.digits, c.blanks = chunkMore, 0, 0, 0
	}
	switch {
	case b == '\n':
		if c.state != chunkLF && !c.unsafe {
			return ErrChunk
		}
		c.begin()
	case c.state == chunkLF:
		return ErrChunk
	case b == '\r':
		c.state = chunkLF
	case c.state == chunkExt:
		if c.extra++; c.extra > maxExtensions || b < ' ' && b != '\t' || b == 0x7f {
			return ErrChunk
		}
	case b == ';':
		c.state = chunkExt
	case b == ' ' || b == '\t':
		c.state = chunkBlank
		if c.blanks++; c.blanks > maxChunkBlanks {
			return ErrChunk
		}
	case c.state == chunkBlank:
		return ErrChunk
	default:
		return c.digit(hexDigit(b))
	}
	return nil
}

// begin starts what follows a size line.
func (c *Chunks) begin() {
	c.state, c.line = chunkData, 0
	if c.left == 0 {
		c.state = chunkTrailer
	}
}

func (c *Chunks) digit(d int) error {
	if d < 0 {
		return ErrChunk
	}
	if c.left == 0 && d == 0 {
		return nil
	}
	if c.digits++; c.digits > 16 || c.left > (1<<63-1)>>4 {
		return ErrChunkSize
	}
	c.left = c.left<<4 | int64(d)
	return nil
}

func hexDigit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	}
	return -1
}

// collect gathers the lines behind the last chunk, up to the empty one.
func (c *Chunks) collect(b []byte) (int, error) {
	if len(c.trailer) == 0 && len(b) >= 2 && b[0] == '\r' && b[1] == '\n' {
		c.state = chunkDone
		return 2, nil
	}
	for i := range b {
		c.trailer = append(c.trailer, b[i])
		if c.open++; b[i] == '\n' {
			c.open = 0
		}
		if b[i] == '\n' && emptyLine(c.trailer) {
			c.state = chunkDone
			return i + 1, c.checkTrailer()
		}
		if len(c.trailer) > maxTrailer {
			return i + 1, ErrTrailer
		}
	}
	if c.open > c.rules.FieldSize+2 {
		return len(b), ErrTrailer
	}
	return len(b), nil
}

// emptyLine reports whether t ends with an empty line.
func emptyLine(t []byte) bool {
	t = t[:len(t)-1]
	if len(t) > 0 && t[len(t)-1] == '\r' {
		t = t[:len(t)-1]
	}
	return len(t) == 0 || t[len(t)-1] == '\n'
}

func (c *Chunks) checkTrailer() error {
	var h Header
	f := fieldReader{rules: c.rules, h: &h}
	if _, err := f.read(c.trailer); err != nil {
		return ErrTrailer
	}
	return nil
}

// Trailer adds the fields behind the last chunk to h, once the body is Done. The texts are copies.
func (c *Chunks) Trailer(h *Header) {
	if len(c.trailer) == 0 {
		return
	}
	f := fieldReader{rules: c.rules, h: h}
	f.read(bytes.Clone(c.trailer))
}
