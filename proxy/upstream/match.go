package upstream

// matchPrefix is how many bytes of a path a ProxyPass path covers; 0 is no match. A run of slashes
// matches any run of slashes, and the match ends at a segment (httpd: mod_proxy.c alias_match).
func matchPrefix(path, prefix string) int {
	i, j := 0, 0
	for j < len(prefix) {
		if prefix[j] == '/' {
			if i == len(path) || path[i] != '/' {
				return 0
			}
			for j < len(prefix) && prefix[j] == '/' {
				j++
			}
			for i < len(path) && path[i] == '/' {
				i++
			}
			continue
		}
		if i == len(path) || path[i] != prefix[j] {
			return 0
		}
		i++
		j++
	}
	if j == 0 || prefix[j-1] != '/' && i < len(path) && path[i] != '/' {
		return 0
	}
	return i
}
