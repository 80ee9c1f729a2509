package site

// Fnmatch tells whether text fits a shell pattern of * ? [a-z] [!x] and backslash escapes; with
// pathname, * and ? and [ do not match a slash (POSIX fnmatch; APR: apr_fnmatch.c). It takes time
// proportional to len(pattern)*len(text) at worst.
func Fnmatch(pattern, text string, pathname bool) bool {
	p, t := 0, 0
	starP, starT := -1, 0
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			starP, starT = p, t
			p++
			continue
		}
		if n, ok := matchOne(pattern, p, text[t], pathname); ok {
			p, t = p+n, t+1
			continue
		}
		if starP < 0 || pathname && text[starT] == '/' {
			return false
		}
		starT++
		p, t = starP+1, starT
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne compares one character with the pattern's element at p and returns the element's length.
func matchOne(pattern string, p int, c byte, pathname bool) (int, bool) {
	if p >= len(pattern) {
		return 0, false
	}
	switch pattern[p] {
	case '?':
		return 1, !(pathname && c == '/')
	case '[':
		if n, ok, closed := matchSet(pattern, p, c); closed {
			return n, ok && !(pathname && c == '/')
		}
	case '\\':
		if p+1 < len(pattern) {
			return 2, pattern[p+1] == c
		}
	}
	return 1, pattern[p] == c
}

// matchSet reads [abc], [a-z], [!x] or [^x] at p. closed is false when there is no closing bracket:
// the bracket is then an ordinary character.
func matchSet(pattern string, p int, c byte) (n int, ok, closed bool) {
	i := p + 1
	negate := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negate {
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1 - p, ok != negate, true
		}
		lo := pattern[i]
		if lo == '\\' && i+1 < len(pattern) {
			i++
			lo = pattern[i]
		}
		hi := lo
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			hi = pattern[i+2]
			i += 2
		}
		if lo <= c && c <= hi {
			ok = true
		}
		i++
	}
	return 0, false, false
}
