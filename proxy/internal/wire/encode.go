package wire

import "strconv"

// AppendInt appends n in decimal.
func AppendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// DateFormat is the layout of dates in fields (RFC 9110 section 5.6.7: IMF-fixdate).
const DateFormat = "Mon, 02 Jan 2006 15:04:05 GMT"

// AppendField appends "name: value" and the line end.
func AppendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// ChunkHead is the longest line that AppendChunkHead makes.
const ChunkHead = 18

// LastChunk ends a chunked body without a trailer.
const LastChunk = "0\r\n\r\n"

// AppendChunkHead appends the size line of a chunk of n bytes.
func AppendChunkHead(dst []byte, n int) []byte {
	dst = strconv.AppendUint(dst, uint64(n), 16)
	return append(dst, "\r\n"...)
}
