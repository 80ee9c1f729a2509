package poison_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../../.."

// itself is the file that hands an item on to its pool.
const itself = "proxy/internal/poison/off.go"

// listed is the files that doc.go names.
func listed(t *testing.T) map[string]bool {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^//\t(\S+\.go): .+; .+`).FindAllStringSubmatch(string(doc), -1) {
		files[m[1]] = true
	}
	return files
}

// sources calls f with each file of the module that is no test.
func sources(t *testing.T, f func(path string, file *ast.File)) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || name != ".." && strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		f(filepath.ToSlash(rel), file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// memory is what of a file has to do with memory that is used again.
type memory struct {
	unsafe, pool bool
	tells        bool     // it calls this package
	bare         []string // pools that items are given back to, not by this package
}

// unread are pools of what holds no texts: pipes, and who waits for an event loop.
var unread = map[string]bool{"pipes": true, "waiters": true}

func look(file *ast.File) (m memory) {
	for _, i := range file.Imports {
		m.unsafe = m.unsafe || i.Path.Value == `"unsafe"`
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if of, ok := n.X.(*ast.Ident); ok {
				m.pool = m.pool || of.Name == "sync" && n.Sel.Name == "Pool"
				m.tells = m.tells || of.Name == "poison"
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Put" && len(n.Args) == 1 && !unread[last(s.X)] {
				m.bare = append(m.bare, last(s.X))
			}
		}
		return true
	})
	return m
}

// last is the last name of an expression such as a.b.c.
func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// Whoever makes texts of buffers, or uses memory again, stands in doc.go's list; and the list is true.
func TestList(t *testing.T) {
	list := listed(t)
	if len(list) < 10 {
		t.Fatal("doc.go's list is not to be read:", list)
	}
	found := map[string]bool{}
	sources(t, func(path string, file *ast.File) {
		m := look(file)
		if found[path] = m.unsafe || m.pool || m.tells; (m.unsafe || m.pool) && !list[path] && path != itself {
			t.Errorf("%s (unsafe: %v, sync.Pool: %v) is not in the list of proxy/internal/poison/doc.go: who owns the memory, and until when?", path, m.unsafe, m.pool)
		}
		if len(m.bare) > 0 && path != itself {
			t.Errorf("%s: %v.Put: items are given back by poison.Put", path, m.bare)
		}
	})
	for path := range list {
		if !found[path] {
			t.Errorf("%s has no such memory any more", path)
		}
	}
}
