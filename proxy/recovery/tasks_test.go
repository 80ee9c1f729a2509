package recovery

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the top of the tree.
const root = "../.."

// uncovered are tasks that nothing here covers, by file and what they run, and why that is well. A whole
// folder ends in a slash.
var uncovered = map[string]string{
	"proxy/backend/backendtest/":                                   "for tests alone",
	"cmd/balancerd/demo/members.go: s.Serve":                       "net/http catches what its handlers do; the demonstration is no server",
	"proxy/internal/loop/task_linux.go: func literal of iter.Pull": "its loop calls (*Task).do, which catches what a job does",
}

// Goroutines, timers, and what else calls functions on a stack of its own: a panic that nobody recovers
// there ends the process.
func TestTasksAreCovered(t *testing.T) {
	used := map[string]bool{}
	for folder, files := range packages(t) {
		p := newPackage(files)
		for _, task := range p.tasks() {
			if task.covered {
				continue
			}
			whole, one := folder+"/", task.file+": "+task.what
			used[whole], used[one] = true, true
			if uncovered[whole]+uncovered[one] == "" {
				t.Errorf("%s: a panic ends the process: see package recovery", one)
			}
		}
	}
	for at := range uncovered {
		if !used[at] {
			t.Errorf("%s is said to be uncovered, and is not there", at)
		}
	}
}

// packages are the files that are built, by folder and name.
func packages(t *testing.T) map[string]map[string]*ast.File {
	out := map[string]map[string]*ast.File{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir() && rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || rel == "proxy/recovery"):
			return fs.SkipDir
		case d.IsDir(), !strings.HasSuffix(rel, ".go"), strings.HasSuffix(rel, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(rel))
		if out[folder] == nil {
			out[folder] = map[string]*ast.File{}
		}
		out[folder][rel] = f
		return nil
	})
	if err != nil || len(out) < 10 {
		t.Fatalf("%d packages, %v", len(out), err)
	}
	return out
}

// pack is a package: its functions and methods by their bare names.
type pack struct {
	files map[string]*ast.File
	funcs map[string][]*ast.BlockStmt
}

func newPackage(files map[string]*ast.File) *pack {
	p := &pack{files, map[string][]*ast.BlockStmt{}}
	for _, f := range files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				p.funcs[fn.Name.Name] = append(p.funcs[fn.Name.Name], fn.Body)
			}
		}
	}
	return p
}

// task is something that runs on a stack of its own.
type task struct {
	file, what string
	covered    bool
}

// callers are functions, by package and name ("" for a method of any value), that call their last argument
// on a stack of its own; iter.Pull does so for its first.
var callers = map[string]bool{
	"time.AfterFunc": true, "context.AfterFunc": true, "iter.Pull": true, "iter.Pull2": true, "runtime.SetFinalizer": true, ".Go": true,
}

func (p *pack) tasks() (out []task) {
	for name, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				out = append(out, task{name, textOf(n.Call.Fun), p.covers(n.Call.Fun, 0)})
			case *ast.CallExpr:
				if by := callerOf(n); by != "" && len(n.Args) > 0 {
					fn := n.Args[len(n.Args)-1]
					out = append(out, task{name, textOf(fn) + " of " + by, p.covers(fn, 0)})
				}
			}
			return true
		})
	}
	return out
}

// callerOf is which of the callers a call is to, "" for none.
func callerOf(c *ast.CallExpr) string {
	s, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || isRecovery(s) {
		return ""
	}
	whole := types.ExprString(s)
	switch {
	case callers[whole]:
		return whole
	case callers["."+s.Sel.Name], whole == "runtime.AddCleanup":
		return whole
	}
	return ""
}

func textOf(e ast.Expr) string {
	if _, ok := e.(*ast.FuncLit); ok {
		return "func literal"
	}
	return types.ExprString(e)
}

func isRecovery(s *ast.SelectorExpr) bool {
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "recovery"
}

// deep is how many functions are looked into.
const deep = 4

// covers reports whether a panic in a call of a function, of this package or a literal one, is recovered.
func (p *pack) covers(fn ast.Expr, depth int) bool {
	name := ""
	switch fn := fn.(type) {
	case *ast.FuncLit:
		return p.covered(fn.Body, depth)
	case *ast.SelectorExpr:
		if isRecovery(fn) {
			return true
		}
		name = fn.Sel.Name
	case *ast.Ident:
		name = fn.Name
	}
	bodies := p.funcs[name]
	return len(bodies) > 0 && depth < deep && !slices.ContainsFunc(bodies, func(b *ast.BlockStmt) bool { return !p.covered(b, depth+1) })
}

// covered tells it of a body: it defers something that recovers before it calls anything, or calls nothing but
// what is covered.
func (p *pack) covered(b *ast.BlockStmt, depth int) bool {
	var calling []ast.Stmt
	for _, s := range b.List {
		d, ok := s.(*ast.DeferStmt)
		switch {
		case ok && p.recovers(d.Call.Fun):
			return len(calling) == 0
		case !ok && calls(s):
			calling = append(calling, s)
		}
	}
	if len(calling) != 1 {
		return false
	}
	all := true
	ast.Inspect(calling[0], func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if ok && types.ExprString(c.Fun) != "time.Sleep" {
			all = all && p.covers(c.Fun, depth+1)
		}
		return !ok
	})
	return all
}

// recovers reports whether what is deferred calls recover itself.
func (p *pack) recovers(fn ast.Expr) bool {
	switch fn := fn.(type) {
	case *ast.FuncLit:
		return callsRecover(fn.Body)
	case *ast.SelectorExpr:
		return isRecovery(fn) || slices.ContainsFunc(p.funcs[fn.Sel.Name], callsRecover)
	case *ast.Ident:
		return slices.ContainsFunc(p.funcs[fn.Name], callsRecover)
	}
	return false
}

func callsRecover(b *ast.BlockStmt) (yes bool) {
	ast.Inspect(b, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			id, ok := c.Fun.(*ast.Ident)
			yes = yes || ok && id.Name == "recover"
		}
		return !yes
	})
	return yes
}

// calls reports whether a statement calls anything, which may panic.
func calls(s ast.Stmt) (yes bool) {
	ast.Inspect(s, func(n ast.Node) bool {
		_, ok := n.(*ast.CallExpr)
		yes = yes || ok
		return !yes
	})
	return yes
}

// What finds nothing guards nothing.
func TestUncoveredTasksAreFound(t *testing.T) {
	for _, c := range []struct {
		code    string
		covered bool
	}{
		{"go f()", false},
		{"go x.m()", false},
		{"go func() { f() }()", false},
		{"go func() { defer done(); f() }()", false},
		{"go func() { g(); defer recovery.Catch(``); f() }()", false},
		{"go func() { defer recovery.Catch(``); f() }()", true},
		{"go func() { defer func() { recover() }(); f() }()", true},
		{"go func() { defer saved(); f() }()", true},
		{"go kept()", true},
		{"go func() { ch <- kept() }()", true},
		{"go func() { defer done(); kept() }()", true},
		{"go func() { kept(); f() }()", false},
		{"go func() { for kept() { f() } }()", false},
		{"go func() { for kept() { time.Sleep(1) } }()", true},
		{"go recovery.Keep(``, f)", true},
		{"go elsewhere.Run()", false},
		{"time.AfterFunc(1, f)", false},
		{"time.AfterFunc(1, x.m)", false},
		{"time.AfterFunc(1, func() { recovery.Do(``, f) })", true},
		{"context.AfterFunc(ctx, f)", false},
		{"wg.Go(func() { f() })", false},
		{"wg.Go(func() { kept() })", true},
		{"iter.Pull(f)", false},
		{"runtime.SetFinalizer(x, f)", false},
		{"runtime.AddCleanup(x, f, 1)", false},
	} {
		source := "package p\nfunc f() {}\nfunc g() {}\nfunc done() {}\nfunc (y) m() {}\nfunc saved() { recover() }\nfunc kept() { defer saved(); f() }\nfunc all() { " + c.code + " }\n"
		f, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(c.code, err)
		}
		tasks := newPackage(map[string]*ast.File{"p.go": f}).tasks()
		if len(tasks) != 1 || tasks[0].covered != c.covered {
			t.Errorf("%s: %+v", c.code, tasks)
		}
	}
}
