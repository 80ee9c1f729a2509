package main

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// graph says which packages each package may import, the lowest first. A package that is not here may not exist,
// but for those below cmd, which may import everything. "*" stands for the packages of a folder, which may not
// import each other.
const graph = `
apacheconf:           apacheconf/pattern
apacheconf/pattern:
apacheconf/directive: apacheconf apacheconf/pattern

balancer:
balancer/method:      balancer
balancer/store/file:  balancer
balancer/store/etcd:  balancer
balancer/store/memory: balancer

manager/apr:

manager:              balancer manager/apr

proxy/recovery:
proxy/internal/poison:
proxy/internal/wire:   proxy/internal/poison
proxy/internal/sys:
proxy/internal/tlsbuf: proxy/internal/poison
proxy/internal/prefix:
proxy/internal/filestamp:
proxy/internal/dbm:
proxy/internal/dbm/dbmtest:
proxy/ticker:           proxy/internal/sys
proxy/internal/loop:    proxy/internal/sys proxy/recovery
proxy/internal/loop/looptest: proxy/internal/loop proxy/internal/sys
proxy/log/sink:        proxy/recovery
proxy/exchange:        proxy/internal/poison proxy/internal/wire proxy/internal/loop proxy/internal/sys proxy/recovery
proxy/expr:            proxy/internal/poison proxy/exchange apacheconf/pattern
proxy/precondition:    proxy/exchange
proxy/site:            proxy/exchange proxy/precondition proxy/expr proxy/internal/prefix proxy/internal/filestamp apacheconf apacheconf/directive apacheconf/pattern
proxy/site/sitetest:   proxy/site proxy/exchange apacheconf apacheconf/directive
proxy/log/errorlog:    proxy/internal/poison proxy/exchange proxy/site proxy/log/sink apacheconf apacheconf/directive proxy/recovery
proxy/hostname:        proxy/exchange
proxy/backend:         proxy/exchange proxy/hostname proxy/tunnel proxy/internal/poison balancer proxy/internal/wire proxy/internal/loop proxy/internal/sys proxy/internal/tlsbuf proxy/recovery proxy/ticker
proxy/backend/backendtest: balancer balancer/method
proxy/backend/membertest: proxy/backend proxy/backend/backendtest proxy/exchange balancer
proxy/tunnel:          proxy/internal/tlsbuf proxy/internal/poison proxy/exchange proxy/internal/wire proxy/internal/loop proxy/internal/sys proxy/recovery
proxy/http1:
proxy/http1/server:    proxy/tunnel proxy/internal/poison proxy/exchange proxy/backend proxy/internal/wire proxy/internal/loop proxy/internal/sys proxy/internal/tlsbuf proxy/recovery
proxy/http1/client:    proxy/internal/poison proxy/exchange proxy/backend balancer proxy/internal/wire
proxy/http2:
proxy/http2/frames:    proxy/internal/poison proxy/internal/wire
proxy/http2/transport: proxy/http2/frames proxy/internal/loop proxy/internal/tlsbuf proxy/recovery
proxy/http2/server:    proxy/http2/frames proxy/http2/transport proxy/tunnel proxy/internal/poison proxy/exchange proxy/internal/wire proxy/internal/loop proxy/recovery
proxy/http2/client:    proxy/http2/frames proxy/http2/transport proxy/exchange proxy/backend balancer proxy/internal/poison proxy/internal/wire proxy/internal/loop proxy/recovery
proxy/ajp:             proxy/exchange proxy/backend proxy/internal/wire proxy/expr apacheconf/directive
proxy/cgi:             proxy/exchange proxy/internal/wire proxy/precondition proxy/expr proxy/site
proxy/fcgi:            proxy/exchange proxy/backend proxy/cgi balancer
proxy/scgi:            proxy/exchange proxy/backend proxy/cgi proxy/site balancer
proxy/uwsgi:           proxy/exchange proxy/backend proxy/cgi proxy/internal/wire proxy/internal/poison balancer
proxy/mod/*:           proxy/precondition proxy/internal/filestamp proxy/internal/dbm proxy/hostname proxy/internal/poison proxy/exchange proxy/site proxy/expr proxy/log/sink apacheconf apacheconf/directive apacheconf/pattern proxy/recovery
proxy/mod/hcheck:      proxy/exchange proxy/site proxy/expr proxy/backend balancer apacheconf apacheconf/directive proxy/recovery
proxy/mod/proxy:       proxy/mod/hcheck proxy/exchange proxy/site proxy/expr proxy/backend proxy/upstream balancer apacheconf apacheconf/directive apacheconf/pattern
proxy/mod/proxy/proxytest: proxy/mod/proxy proxy/mod/core proxy/exchange proxy/site proxy/backend balancer balancer/method apacheconf apacheconf/directive
proxy/mod/fcgi:        proxy/exchange proxy/site proxy/expr proxy/fcgi apacheconf/directive
proxy/cache:           proxy/exchange proxy/internal/wire proxy/recovery
proxy/mod/cache:       proxy/cache proxy/exchange proxy/precondition proxy/site proxy/internal/wire apacheconf/directive
proxy/mod/scgi:        proxy/exchange proxy/site proxy/scgi apacheconf/directive
proxy/mod/heartbeat:   proxy/exchange proxy/site proxy/recovery proxy/ticker apacheconf/directive balancer/method
proxy/mod/slotmem:     proxy/site apacheconf/directive balancer balancer/store/file
proxy/mod/uniqueid:    proxy/exchange proxy/site apacheconf/directive
proxy/mod/manager:     proxy/exchange proxy/site proxy/mod/proxy apacheconf/directive balancer manager
proxy/mod/status:      manager/apr proxy/exchange proxy/site proxy/mod/proxy proxy/snapshot apacheconf/directive
proxy/mod/ssl:         proxy/exchange proxy/site proxy/expr proxy/log/sink apacheconf apacheconf/directive apacheconf/pattern proxy/backend proxy/recovery
proxy:
proxy/upstream:        proxy/internal/poison proxy/fcgi proxy/exchange proxy/site proxy/backend proxy/internal/wire proxy/internal/prefix balancer apacheconf/pattern
proxy/snapshot:        proxy/exchange proxy/server proxy/http1/server proxy/backend balancer
proxy/server:          proxy/exchange proxy/site proxy/http1/server proxy/http2/server proxy/http2/transport proxy/internal/loop proxy/recovery
`

// libraries are the modules of others, with the file or the folder that may import each.
var libraries = map[string]string{
	"github.com/alecthomas/participle/v2": "apacheconf/grammar.go",
	"github.com/dlclark/regexp2":          "apacheconf/pattern/",
	"github.com/gorilla/securecookie":     "manager/session.go",
	"golang.org/x/net/html":               "proxy/mod/proxyhtml/",
	"golang.org/x/text/encoding":          "proxy/mod/proxyhtml/",
	"golang.org/x/text/transform":         "proxy/mod/proxyhtml/",
	"github.com/klauspost/compress/flate": "proxy/mod/compress/",
	"github.com/andybalholm/brotli":       "proxy/mod/compress/",
	"github.com/tg123/go-htpasswd":        "proxy/mod/auth/",
	"golang.org/x/crypto/bcrypt":          "proxy/mod/auth/",
	"golang.org/x/crypto/blowfish":        "proxy/mod/auth/",
	"golang.org/x/crypto/ocsp":            "proxy/mod/ssl/",
	"golang.org/x/sys/unix":               "balancer/store/memory/",
	"golang.org/x/net/http2":              "proxy/http2/",
	"golang.org/x/net/http/httpguts":      "proxy/internal/wire/",
	"go.etcd.io/etcd/client/v3":           "balancer/store/etcd/",
	"github.com/spf13/cobra":              "cmd/",
}

// httpPackages are those that balancer must not need.
var httpPackages = []string{"net/http", "net/http/httptest"}

const moduleName = "balancerd/"

func TestImports(t *testing.T) {
	allowed := parseGraph(t)
	root := "../.."
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		if d.IsDir() && rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		if !ignored(f) {
			checkFile(t, allowed, filepath.ToSlash(rel), f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ignored reports whether a file is never built: a generator.
func ignored(f *ast.File) bool {
	for _, g := range f.Comments {
		for _, c := range g.List {
			if x, err := constraint.Parse(c.Text); err == nil && x.String() == "ignore" {
				return true
			}
		}
	}
	return false
}

// topLevel is where packages lie, beside cmd.
var topLevel = []string{"apacheconf", "balancer", "manager", "proxy"}

func parseGraph(t *testing.T) map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(strings.TrimSpace(graph)) {
		name, imports, ok := strings.Cut(line, ":")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if !ok || out[name] != nil {
			t.Fatalf("graph: %q", line)
		}
		if top, _, _ := strings.Cut(name, "/"); !slices.Contains(topLevel, top) {
			t.Errorf("%s: packages lie in %v", name, topLevel)
		}
		out[name] = append([]string{}, strings.Fields(imports)...)
	}
	return out
}

func checkFile(t *testing.T, allowed map[string][]string, file string, f *ast.File) {
	name := path.Dir(file)
	inCmd := strings.HasPrefix(name, "cmd/")
	may, known := allowed[name]
	if !known {
		may, known = allowed[path.Dir(name)+"/*"]
	}
	if !known && !inCmd {
		t.Errorf("%s: the graph has no package %s", file, name)
		return
	}
	for _, i := range f.Imports {
		to, _ := strconv.Unquote(i.Path.Value)
		own, inside := strings.CutPrefix(to, moduleName)
		switch {
		case strings.HasPrefix(own, "cmd/") && !inCmd:
			t.Errorf("%s: only cmd may import %s", file, to)
		case inside && !inCmd && !slices.Contains(may, own):
			t.Errorf("%s: may not import %s", file, to)
		case !inside && strings.Contains(strings.Split(to, "/")[0], "."):
			checkLibrary(t, file, to)
		case strings.HasPrefix(name, "balancer") && slices.Contains(httpPackages, to) || strings.HasPrefix(name, "apacheconf") && strings.HasPrefix(to, "net"):
			t.Errorf("%s: may not use the network: %s", file, to)
		}
	}
}

func checkLibrary(t *testing.T, file, library string) {
	for l, place := range libraries {
		if (library == l || strings.HasPrefix(library, l+"/")) && strings.HasPrefix(file, place) {
			return
		}
	}
	t.Errorf("%s: may not import %s", file, library)
}

// A wrong import must be found: what finds nothing guards nothing.
func TestWrongImportsAreFound(t *testing.T) {
	allowed := parseGraph(t)
	for _, c := range []struct{ file, imports string }{
		{"balancer/worker.go", "balancerd/proxy/exchange"},
		{"balancer/worker.go", "net/http"},
		{"manager/view.go", "balancerd/proxy/upstream"},
		{"proxy/upstream/handler.go", "balancerd/proxy/mod/proxy"},
		{"proxy/mod/auth/rule.go", "balancerd/proxy/mod/core"},
		{"proxy/upstream/handler.go", "balancerd/cmd/balancerd"},
		{"proxy/mod/status/members.go", "balancerd/cmd/balancerd/cli"},
		{"proxy/mod/status/members.go", "balancerd/proxy/mod/manager"},
		{"apacheconf/words.go", "github.com/alecthomas/participle/v2"},
		{"unknown/x.go", "fmt"},
	} {
		probe := &testing.T{}
		f, err := parser.ParseFile(token.NewFileSet(), c.file, "package p\nimport "+strconv.Quote(c.imports), parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		if checkFile(probe, allowed, c.file, f); !probe.Failed() {
			t.Errorf("%s may import %s", c.file, c.imports)
		}
	}
}
