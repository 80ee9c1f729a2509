package expr

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	x := sample()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("full", "text\x00hidden", 0o644)
	write("empty", "", 0o755)
	os.Symlink("full", filepath.Join(dir, "link"))
	for text, want := range map[string]bool{
		"file('D/full') == 'text'": true, "filesize('D/full') == '11'": true, "file('D/empty') == ''": true, "filesize('D/empty') == '0'": true,
		"-s 'D/empty'": false, "-f 'D/link'": true, "-L 'D/link'": true, "-h 'D/full'": false, "-x 'D/empty'": true, "-x 'D/full'": false, "-d 'D'": true, "-d 'D/link'": false,
	} {
		if got := holds(t, strings.ReplaceAll(text, "D", dir), Options{}, x); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	x.Filename = filepath.Join(dir, "full")
	if holds(t, "-z %{SCRIPT_USER}", Options{}, x) {
		t.Skip("the owner has no name here")
	}
}
