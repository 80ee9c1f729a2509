package pattern

// ShellFlags change how a shell pattern is matched.
type ShellFlags uint8

// The flags of Shell.
const (
	Pathname ShellFlags = 1 << iota // * ? and [ do not match a slash
	Fold                            // letters match in any case
)

// Shell reports whether text fits a shell pattern of * ? [a-z] [!x] and backslash escapes as a whole
// (APR: apr_fnmatch.c). It takes time proportional to len(pattern)*len(text) at worst.
func Shell(pattern, text string, flags ShellFlags) bool {
	p, t := 0, 0
	starP, starT := -1, 0
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			p++
			starP, starT = p, t
			continue
		}
		if n, ok := fnElement(pattern[p:], text[t], flags); ok {
			p, t = p+n, t+1
			continue
		}
		if starP < 0 || flags&Pathname != 0 && text[starT] == '/' {
			return false
		}
		starT++
		p, t = starP, starT
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// fnElement compares c with the first element of a pattern and is that element's length.
func fnElement(pattern string, c byte, flags ShellFlags) (n int, ok bool) {
	if pattern == "" {
		return 0, false
	}
	slash := flags&Pathname != 0 && c == '/'
	switch pattern[0] {
	case '?':
		return 1, !slash
	case '[':
		if n, ok := fnSet(pattern, c, flags); n > 0 {
			return n, ok && !slash
		}
	case '\\':
		if len(pattern) > 1 {
			return 2, fnSame(pattern[1], c, flags)
		}
	}
	return 1, fnSame(pattern[0], c, flags)
}

func fnSame(a, b byte, flags ShellFlags) bool {
	return a == b || flags&Fold != 0 && lowerByte(a) == lowerByte(b)
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// fnSet reads [abc], [a-z], [!x] or [^x]. n is 0 when that is no set: the bracket then means itself.
func fnSet(pattern string, c byte, flags ShellFlags) (n int, ok bool) {
	i := 1
	negate := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negate {
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1, ok != negate
		}
		lo, next, good := fnBound(pattern, i, flags)
		if !good {
			return 0, false
		}
		i = next
		hi := lo
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			if hi, i, good = fnBound(pattern, i+1, flags); !good {
				return 0, false
			}
		}
		ok = ok || lo <= c && c <= hi || flags&Fold != 0 && lowerByte(lo) <= lowerByte(c) && lowerByte(c) <= lowerByte(hi)
	}
	return 0, false
}

// fnBound is one character of a set, which a backslash may stand before, and where the next begins.
func fnBound(pattern string, i int, flags ShellFlags) (c byte, next int, ok bool) {
	if pattern[i] == '\\' {
		if i++; i == len(pattern) {
			return 0, i, false
		}
	}
	return pattern[i], i + 1, flags&Pathname == 0 || pattern[i] != '/'
}

// IsShell reports whether a text holds wildcards: * ? or a bracket that closes (APR: apr_fnmatch_test).
func IsShell(text string) bool {
	open := false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '?', '*':
			return true
		case '\\':
			i++
		case '[':
			open = true
		case ']':
			if open {
				return true
			}
		}
	}
	return false
}
