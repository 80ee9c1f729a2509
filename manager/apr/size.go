package apr

import "strconv"

// AppendSize appends a number of bytes in four characters: "  0 ", "552 ", "1.3K", " 21K"; "  - " below 0
// (apr: apr_strfsize).
func AppendSize(b []byte, n int64) []byte {
	if n < 0 {
		return append(b, "  - "...)
	}
	if n < 973 {
		return append(appendPadded(b, n), ' ')
	}
	for units := "KMGTPE"; ; units = units[1:] {
		rest := n & 1023
		n >>= 10
		if n >= 973 && len(units) > 1 {
			continue
		}
		return append(appendScaled(b, n, rest), units[0])
	}
}

// appendScaled appends n and rest/1024: with tenths below ten, rounded to a whole number from there on.
func appendScaled(b []byte, n, rest int64) []byte {
	if n < 9 || n == 9 && rest < 973 {
		tenths := (rest*5 + 256) / 512
		if tenths >= 10 {
			n, tenths = n+1, 0
		}
		return strconv.AppendInt(append(strconv.AppendInt(b, n, 10), '.'), tenths, 10)
	}
	if rest >= 512 {
		n++
	}
	return appendPadded(b, n)
}

// appendPadded appends a number with blanks in front of it, in three characters at least.
func appendPadded(b []byte, n int64) []byte {
	for limit := int64(100); limit > 1 && n < limit; limit /= 10 {
		b = append(b, ' ')
	}
	return strconv.AppendInt(b, n, 10)
}
