package site

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
	"balancerd/proxy/internal/filestamp"
)

// Bounds of access files, whose authors may be anybody who has a folder.
const (
	maxAccessFile  = 1 << 20  // bytes of one
	maxAccessKept  = 16 << 20 // bytes of all that are kept, as accessFile.weight counts
	accessOverhead = 2 << 10  // bytes of one that says nothing, about
	accessPerByte  = 12       // what a byte of text takes once it is bound, about
)

// accessFiles keeps the access files that requests have met, read and bound, for one load of the configuration. A file
// is looked at each time that it matters, by one stat, and read again when that shows a change.
type accessFiles struct {
	config *directive.Config

	mu     sync.Mutex
	weight int
	kept   map[accessKey]*accessFile
}

// accessKey: the same file may be met where AllowOverride says something else.
type accessKey struct {
	name  string
	allow directive.Override
}

// accessFile is what a file came to. Immutable once it is kept.
type accessFile struct {
	stamp filestamp.Stamp
	young bool   // it was read so soon after its last change that the stamp may hide the next
	text  string // of a young one

	section  *section // nil: nothing is in it that counts
	warnings []apacheconf.Warning
	hints    []directive.Hint
	err      error // of its text: httpd's message
	weight   int
}

// find is a folder's first access file, and its name, which holds for the request alone; nil when there is none. An
// error says why the file can't be read.
func (a *accessFiles) find(x *exchange.Exchange, folder string, rule *accessRule) (f *accessFile, name string, err error) {
	slash := withSlash(x, folder)
	for _, n := range rule.names {
		name = x.Arena.Join(slash, n)
		f, err = a.look(x, name, folder, rule.allow)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return f, name, err
		}
	}
	return nil, "", nil
}

func withSlash(x *exchange.Exchange, folder string) string {
	if folder == "/" {
		return folder
	}
	return x.Arena.Join(folder, "/")
}

// unreadable refuses what may be forbidden by a file that can't be read (httpd: config.c ap_parse_htaccess).
func unreadable(x *exchange.Exchange, name, folder string, err error) error {
	if errors.Is(err, errSpecial) {
		x.Log("core", exchange.Error, nil, "AH00554: Access to file "+name+" denied by server: not a regular file")
		err = syscall.EBADF
	}
	x.Log("core", exchange.Crit, err, "AH00529: "+name+" pcfg_openfile: unable to check htaccess file, ensure it is readable and that '"+folder+"' is executable")
	x.RawNote = "Server unable to read htaccess file, denying access to be safe"
	return exchange.Status(403)
}

// tell logs what there is to say of the file at each request of a client, as httpd does, and is the answer when its text is
// wrong.
func (f *accessFile) tell(x *exchange.Exchange, name string) error {
	if len(f.warnings) > 0 && firstMet(x, name) {
		for i := range f.warnings {
			w := &f.warnings[i]
			level, _ := exchange.ParseLevel(w.Level)
			x.LogServer(w.Module, level, nil, w.Msg)
		}
	}
	if f.err != nil {
		x.Log("core", exchange.Alert, nil, name+": "+f.err.Error())
		return exchange.Status(500)
	}
	return nil
}

// firstMet reports whether neither the request nor what it came of has met the file of a name, and notes it
// (httpd: request_rec.htaccess).
func firstMet(x *exchange.Exchange, name string) bool {
	met, _ := x.State[exchange.StateAccessFiles].(*[]string)
	if met == nil {
		met = new([]string)
		x.State[exchange.StateAccessFiles] = met
	}
	if slices.Contains(*met, name) {
		return false
	}
	*met = append(*met, strings.Clone(name))
	return true
}

// look is the file as it is now. The name holds for the request alone.
func (a *accessFiles) look(x *exchange.Exchange, name, folder string, allow directive.Override) (*accessFile, error) {
	fi, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errSpecial
	}
	key := accessKey{name, allow}
	a.mu.Lock()
	kept := a.kept[key]
	a.mu.Unlock()
	if kept != nil && !kept.young && kept.stamp == filestamp.Of(fi) {
		return kept, nil
	}
	x.Block()
	now := time.Now()
	text, fi, err := readAccess(name)
	if err != nil {
		return nil, err
	}
	var f *accessFile
	key.name = strings.Clone(name)
	if kept != nil && kept.young && kept.text == text {
		same := *kept
		f = &same
	} else {
		f = a.bind(key, strings.Clone(folder), text)
		f.tellHints(x, key.name)
	}
	f.stamp, f.text = filestamp.Of(fi), ""
	if f.young = f.stamp.MayHide(now); f.young {
		f.text = text
	}
	a.keep(key, f)
	return f, nil
}

// errSpecial: a folder, a pipe, a device.
var errSpecial = errors.New("not a regular file")

// readAccess reads a file up to the bound, with what it was at that moment.
func readAccess(name string) (string, fs.FileInfo, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not hold us up
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return "", nil, err
	}
	if !fi.Mode().IsRegular() {
		return "", nil, errSpecial
	}
	b, err := io.ReadAll(io.LimitReader(f, maxAccessFile+1))
	return string(b), fi, err
}

// bind makes a section of the text.
func (a *accessFiles) bind(key accessKey, folder, text string) *accessFile {
	f := &accessFile{weight: accessOverhead + accessPerByte*len(text)}
	if len(text) > maxAccessFile {
		f.err = errors.New("the file is longer than 1 MiB")
		f.weight = accessOverhead
		return f
	}
	read, err := a.config.ReadAccess(key.name, text, folder, key.allow)
	f.warnings, f.hints = read.Warnings, read.Hints
	if err == nil {
		err = refusal(read.Hints)
	}
	if err != nil {
		f.err = err
		return f
	}
	s, err := compileSection(read.Scope)
	if err != nil {
		f.err = err
		return f
	}
	s.weight = f.weight
	f.section = &s
	return f
}

// refusal is an error when a directive was passed over that shuts something.
func refusal(hints []directive.Hint) error {
	for _, h := range hints {
		if h.Refuse {
			return errors.New(h.Text)
		}
	}
	return nil
}

// tellHints says once for each reading what has no effect.
func (f *accessFile) tellHints(x *exchange.Exchange, name string) {
	for _, h := range f.hints {
		x.Log(directive.HintModule, exchange.Info, nil, "hint: "+name+": "+h.Text)
	}
}

// keep keeps a file, and gives others up until all are within the bound. Which ones is left to chance: a map's order.
func (a *accessFiles) keep(key accessKey, f *accessFile) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil {
		a.kept = map[accessKey]*accessFile{}
	}
	if old := a.kept[key]; old != nil {
		a.drop(key, old)
	}
	for k, old := range a.kept {
		if a.weight+f.weight <= maxAccessKept {
			break
		}
		a.drop(k, old)
	}
	a.kept[key] = f
	a.weight += f.weight
}

func (a *accessFiles) drop(key accessKey, f *accessFile) {
	delete(a.kept, key)
	a.weight -= f.weight
}

// accessFiles adds what the access files say of the folders on the way that lie above a depth and were not asked yet.
// What is wrong with one, or a link on the way that may not be followed, is in w.err.
func (w *walk) accessFiles(d *descent, depth int) {
	if !w.end.access.allow.Reads() {
		w.next = max(w.next, depth)
		return
	}
	for ; w.next < depth && w.err == nil; w.next++ {
		folder, ok := d.to(w.next)
		if !ok || !w.isFolder(d) {
			return
		}
		if folder == "" {
			folder = "/"
		}
		w.err = w.accessFile(folder)
	}
}

// accessFile adds what the folder's access file says. Whether links lead to the folder is looked at when it has one: that
// the others on the way may be passed, the file's own name is asked at the end.
func (w *walk) accessFile(folder string) error {
	f, name, cause := w.host.site.access.find(w.x, folder, w.end.access)
	if f == nil && cause == nil {
		return nil
	}
	if err := w.admits(folder); err != nil {
		return err
	}
	if cause != nil {
		return unreadable(w.x, name, withSlash(w.x, folder), cause)
	}
	if f.section != nil {
		w.end = w.end.enter(f.section)
	}
	return f.tell(w.x, name)
}

// isFolder reports whether a walk is at a folder.
func (w *walk) isFolder(d *descent) bool {
	return d.end < len(d.name) || d.end == 0 || w.x.FileType == exchange.Directory
}

// admits refuses what is reached by a symbolic link which may not be followed: nothing that lies behind it counts, and the
// sections that were found so far do not either (httpd: request.c ap_directory_walk).
func (w *walk) admits(name string) error {
	p, err := w.end.compiled()
	if err != nil || p.Admits == nil {
		return nil // what is wrong with the plan shows when it is needed
	}
	return p.Admits(w.x, name)
}

// tag is how a section is shown to who observes a request.
func tag(s *directive.Scope) string {
	if s.Tag == "" {
		return filepath.Base(s.Pos.File)
	}
	return s.Tag
}
