package loop_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mayBlock is what goes to a disk, a name server, another process, or computes for long: by package, or as the
// name of a method.
var mayBlock = map[string]string{
	"os":       "Open OpenFile OpenRoot Create CreateTemp Stat Lstat ReadFile ReadDir Readlink WriteFile Remove RemoveAll Rename Mkdir MkdirAll MkdirTemp Truncate Chmod Chown Link Symlink",
	"net":      "Dial DialTimeout DialTCP DialUnix LookupHost LookupIP LookupAddr LookupCNAME LookupPort LookupSRV ResolveTCPAddr ResolveIPAddr",
	"time":     "Sleep",
	"exec":     "Command CommandContext LookPath",
	"bcrypt":   "CompareHashAndPassword GenerateFromPassword",
	"filepath": "Glob EvalSymlinks Walk WalkDir",
	"user":     "Lookup LookupId LookupGroup LookupGroupId",
	"":         "LookupNetIP LookupAddr DialContext HandshakeContext ReadAt",
}

// excused are functions below proxy/ that call such a thing without exchange.Block in their own text, by package
// and name, each with its reason. A new one either calls Block first, or gets a line here.
const excused = `
loop.Sleep: the goroutine is not a loop's
expr.owner: stat calls Block before it
expr.ownerGroup: likewise
backend.lookup: who calls pool.lookup called Block before it; Renew has goroutines of its own
backend.dialNet: dialerOf, or open, calls Block before it; a CONNECT's handler did
backend.starved: opens /dev/null, which no disk is asked for, to learn whether there are descriptors
upstream.AddressesOf: while a configuration is loaded
auth.get: facts of a file that every request looks at; current calls Block before it is read
auth.readWhole: watched.current calls Block before it, or a goroutine of its own does it
accesslog.nameOrAddress: hostname.Cache.Of calls Block before it
core.nameOrAddress: hostname.Cache.Of calls Block before it
auth.lookup: likewise
auth.leadsTo: lookup, and who else calls it, called Block before it
core.addresses: while a configuration is loaded
remoteip.lookUp: likewise
mpm.UserID: likewise
mpm.GroupID: likewise
mpm.resolves: likewise
static.open: mostly answered from memory: to leave the loop first would cost a quarter of a small answer (measured), so that the watchdog takes the loop from what does wait for a disk
exchange.next: likewise
static.isLink: likewise
static.find: likewise
static.found: likewise
static.step: likewise
static.resolve: likewise
site.look: likewise, for the facts of a file; Block is called before it is read
cache.read: the goroutine that writes kept answers calls it
cache.OpenFolder: while a configuration is loaded
site.readAccess: look calls Block before it
rewrite.checkFile: the facts of a file, as static.open's
rewrite.isFileName: likewise
rewrite.find: likewise, of a map's file; Block is called before it is read
rewrite.scan: value calls Block before it
rewrite.stamp: find calls Block before it
dbm.Find: who looks a key up calls Block before it
dbm.findSDBM: likewise
dbm.sdbmPageOf: likewise
dbm.openHash: likewise
dbm.read: likewise
rewrite.launch: find calls Block before it, or it is called while a configuration takes over
rewrite.errorOutput: likewise
rewrite.isExecutableFile: while a configuration is loaded
heartbeat.hear: a goroutine of its own
heartbeat.write: likewise, or the handler called Block before it
heartbeat.ipv4Of: while a configuration is loaded
sys.ephemeralPorts: /proc/sys, which no disk is asked for
headers.loadAverage: /proc/loadavg, which no disk is asked for
status.loadAverages: likewise
sitetest.Tree: the files of a test
sitetest.Files: likewise
dbmtest.put: likewise
looptest.Do: the goroutine of a test
ssl.Accept: a handshake of a client begins off the loop (http1/server.acceptor.take)
ssl.handshake: Acquire calls Block before it
server.Accept: the loop that accepts on systems without event loops
loop.serve: a loop after a panic of its own
loop.watchdog: the watchdog's goroutine
sink.OpenFolder: while a configuration is loaded
sink.rootsLink: likewise
sink.Append: the process that reads the configuration
sink.FindProgram: likewise
sink.start: the goroutine of a log's program
sink.wait: likewise
sink.dial: the goroutine of a log
recovery.Keep: a goroutine of its own
server.listenFreed: the main process, which serves nobody
server.retire: the goroutine that reloads
server.Halt: the goroutine that stops the server
`

// blocking is a function's calls of mayBlock, and whether it calls Block or Detach before the first of them.
type blocking struct {
	calls []string
	asks  bool
}

// blockingOf looks at a function in the order of its text. What is passed on as a value counts as a call.
func blockingOf(fd ast.Node) (b blocking) {
	ast.Inspect(fd, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if of, ok := s.X.(*ast.Ident); ok && slices.Contains(strings.Fields(mayBlock[of.Name]), s.Sel.Name) {
			b.calls = append(b.calls, of.Name+"."+s.Sel.Name)
		} else if slices.Contains(strings.Fields(mayBlock[""]), s.Sel.Name) {
			b.calls = append(b.calls, s.Sel.Name)
		} else if s.Sel.Name == "Block" || s.Sel.Name == "Detach" {
			b.asks = b.asks || len(b.calls) == 0
		}
		return true
	})
	return b
}

// passesBlocking are functions of package expr that hand os.Stat and the like to isFile, which calls Block.
var passesBlocking = regexp.MustCompile(`^expr\.(exists|is[A-Z][a-z]+)$`)

// Who may block asks first: the disk, name servers and handshakes are quick so often that the watchdog, which
// looks every few milliseconds, would not find them.
func TestBlockingCallsAreAnnounced(t *testing.T) {
	reasons := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(excused)) {
		name, why, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if reasons[name] || why == "" {
			t.Errorf("twice, or without a reason: %s", line)
		}
		reasons[name] = true
	}
	found := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := file.Name.Name + "." + f.Name.Name
			b := blockingOf(f)
			if len(b.calls) == 0 || b.asks || passesBlocking.MatchString(name) {
				continue
			}
			if found[name] = true; !reasons[name] {
				t.Errorf("%s: %s uses %v without exchange.Block before it", path, name, b.calls)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range reasons {
		if !found[name] {
			t.Errorf("%s needs no excuse any more", name)
		}
	}
}

// What finds nothing guards nothing.
func TestBlockingCallsAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		`func f() { os.Stat("/") }`:                                true,
		`func f() { x.Block(); os.Stat("/") }`:                     false,
		`func f() { os.Stat("/"); x.Block() }`:                     true,
		`func f() { net.DefaultResolver.LookupNetIP(ctx, "", h) }`: true,
		`func f() { g(os.Lstat) }`:                                 true,
		`func f() { os.Getenv("HOME") }`:                           false,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "f.go", "package p\n"+text, 0)
		if err != nil {
			t.Fatal(err)
		}
		if b := blockingOf(file); (len(b.calls) > 0 && !b.asks) != want {
			t.Errorf("%s: %v", text, b)
		}
	}
}
