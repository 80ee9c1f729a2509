package accesslog

const hex = "0123456789abcdef"

// plain are the bytes that a line takes as they are; short are those with a letter of their own.
var (
	plain = func() (t [256]bool) {
		for c := ' '; c <= '~'; c++ {
			t[c] = c != '"' && c != '\\'
		}
		return t
	}()
	short = [256]byte{'\b': 'b', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v', '\\': '\\', '"': '"'}
)

// escape appends s so that it can neither end a quoted field nor the line (httpd: util.c
// ap_escape_logitem).
func escape(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plain[c] {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		if short[c] != 0 {
			b = append(b, '\\', short[c])
		} else {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		}
	}
	return append(b, s[start:]...)
}

// orDash appends s escaped, or "-" when it is not there.
func orDash(b []byte, s string, there bool) []byte {
	if !there {
		return append(b, '-')
	}
	return escape(b, s)
}
