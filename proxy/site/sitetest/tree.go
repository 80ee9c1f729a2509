package sitetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Old is when the files of a test were changed: long ago, so that their tags are strong.
var Old = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// Tree writes files, "name" or "name=text"; a name with a final slash is a folder.
func Tree(t testing.TB, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		full := filepath.Join(root, name)
		if strings.HasSuffix(name, "/") {
			os.MkdirAll(full, 0o755)
			continue
		}
		os.MkdirAll(filepath.Dir(full), 0o755)
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(full, Old, Old)
	}
	return root
}
