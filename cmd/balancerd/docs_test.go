package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fileName is a Go file as a drawing or a reading order names it, with or without its folder.
var fileName = regexp.MustCompile(`[\w/]*\w\.go\b`)

// TestDocsNameFilesThatExist holds what each doc.go says of files against the tree: a name without a folder is a file
// beside it, a name with one counts from there or from the top.
func TestDocsNameFilesThatExist(t *testing.T) {
	const root = "../.."
	n := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "doc.go" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range fileName.FindAllString(string(text), -1) {
			n++
			if !exists(filepath.Dir(path), name) && !(strings.Contains(name, "/") && exists(root, name)) {
				t.Errorf("%s names %s, which is not there", strings.TrimPrefix(path, root+"/"), name)
			}
		}
		return err
	})
	if err != nil || n < 100 {
		t.Fatal(n, err)
	}
}

// readmeName is a file or a folder that the README links to, or names as code.
var readmeName = regexp.MustCompile("\\]\\(([^):#]+)\\)|`([a-z_][\\w.]*(?:/[\\w.]+)+)`")

// TestReadmeNamesFilesThatExist does so with the README's links and paths.
func TestReadmeNamesFilesThatExist(t *testing.T) {
	const root = "../.."
	all := readmeName.FindAllStringSubmatch(read(t, root+"/README.md"), -1)
	for _, m := range all {
		if name := m[1] + m[2]; !exists(root, name) {
			t.Errorf("README.md names %s, which is not there", name)
		}
	}
	if len(all) < 20 {
		t.Error("only ", len(all), " names")
	}
}

func exists(folder, name string) bool {
	_, err := os.Stat(filepath.Join(folder, name))
	return err == nil
}
