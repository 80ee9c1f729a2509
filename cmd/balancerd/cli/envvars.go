package cli

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Apachectl does what Debian's apachectl does before it calls httpd: the variables of envvars, and the
// runtime directory, which is gone after each boot.
func Apachectl(file string) {
	dir := filepath.Dir(file)
	if _, err := os.Stat(filepath.Join(dir, "envvars")); err != nil {
		dir = filepath.Dir(dir) // of a file in sites-available
	}
	if slices.Contains(sourceEnvvars(dir), "APACHE_RUN_DIR") && os.Geteuid() == 0 {
		os.MkdirAll(os.Getenv("APACHE_RUN_DIR"), 0o755) // when this fails, the first use of the folder says so
	}
}

var exportLine = regexp.MustCompile(`^\s*export\s+([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)

// sourceEnvvars takes the simple lines "export NAME=value" of the envvars file beside a
// configuration for variables that are not set: what Debian's apachectl does with a shell. Values
// that need one (commands, tests) are left alone. It returns the names that it set.
func sourceEnvvars(dir string) []string {
	text, err := os.ReadFile(filepath.Join(dir, "envvars"))
	if err != nil {
		return nil
	}
	var set []string
	for scan := bufio.NewScanner(bytes.NewReader(text)); scan.Scan(); {
		m := exportLine.FindStringSubmatch(scan.Text())
		if m == nil {
			continue
		}
		value, ok := shellWord(m[2])
		if _, there := os.LookupEnv(m[1]); !ok || there {
			continue
		}
		os.Setenv(m[1], value)
		set = append(set, m[1])
	}
	return set
}

// shellWord is a shell's reading of one word: quotes of either kind, $NAME and ${NAME}; nothing that
// would have to be run. What follows the word may be a comment.
func shellWord(s string) (string, bool) {
	if strings.ContainsAny(s, "`") || strings.Contains(s, "$(") {
		return "", false
	}
	word, rest := strings.TrimRight(s, " \t"), ""
	expand := true
	switch {
	case strings.HasPrefix(word, "'"), strings.HasPrefix(word, `"`):
		expand = word[0] == '"'
		n := strings.IndexByte(word[1:], word[0])
		if n < 0 {
			return "", false
		}
		word, rest = word[1:1+n], word[2+n:]
	default:
		if n := strings.IndexAny(word, " \t;"); n >= 0 {
			word, rest = word[:n], word[n:]
		}
	}
	if rest = strings.TrimLeft(rest, " \t"); rest != "" && rest[0] != '#' || strings.Contains(word, ":-") {
		return "", false
	}
	if expand {
		word = os.Expand(word, os.Getenv)
	}
	return word, true
}
