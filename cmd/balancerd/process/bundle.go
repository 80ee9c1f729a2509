package process

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/balancer/store/memory"
	"balancerd/proxy/log/sink"
)

// A bundle is a configuration as it goes from the process that read it, perhaps as root, to the one that
// serves it: a file without a name, which the main process keeps for the next one that serves.
//
//	magic, three lengths, the main process's directives, all directives, the index of files, their contents
const bundleMagic = "balconf1"

const bundleHead = len(bundleMagic) + 3*8

// ErrBundle is a file that writeBundle did not make.
var errBundle = errors.New("not a configuration as another process of this server reads it")

// bundle is an opened bundle. Contents are read from its file when they are asked for.
type bundle struct {
	f     *os.File
	index map[string]*stored
}

// stored is what a bundle has of a file that the configuration names. Names of files are absolute.
type stored struct {
	Errno  syscall.Errno `json:",omitempty"` // why it could not be reached; 0 for none
	Text   string        `json:",omitempty"` // the error of a program
	Mode   fs.FileMode
	Size   int64
	Time   time.Time
	At     int64    // of its content in the bundle, of Length bytes; -1: only looked at
	Length int64    `json:",omitempty"`
	Names  []string `json:",omitempty"` // of a folder, sorted; its files are in the index too
}

// writeBundle writes a bundle to an empty file.
func writeBundle(f *os.File, own, all *apacheconf.Tree, files *gatherer) error {
	ownText, _ := own.AppendBinary(nil)
	allText, _ := all.AppendBinary(nil)
	index, err := json.Marshal(files.index)
	if err != nil {
		return err
	}
	head := []byte(bundleMagic)
	for _, part := range [][]byte{ownText, allText, index} {
		head = binary.LittleEndian.AppendUint64(head, uint64(len(part)))
	}
	for _, part := range [][]byte{head, ownText, allText, index, files.contents} {
		if _, err := f.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// parts are where the three parts of a bundle are, and where contents begin.
func parts(f *os.File) (at [4]int64, err error) {
	head := make([]byte, bundleHead)
	if _, err := f.ReadAt(head, 0); err != nil || string(head[:len(bundleMagic)]) != bundleMagic {
		return at, errBundle
	}
	st, err := f.Stat()
	if err != nil {
		return at, err
	}
	at[0] = int64(bundleHead)
	for i := range 3 {
		n := binary.LittleEndian.Uint64(head[len(bundleMagic)+8*i:])
		if n > uint64(st.Size()-at[i]) {
			return at, errBundle
		}
		at[i+1] = at[i] + int64(n)
	}
	return at, nil
}

func readPart(f *os.File, from, to int64) ([]byte, error) {
	b := make([]byte, to-from)
	_, err := f.ReadAt(b, from)
	return b, err
}

// ownDirectives is the part of a bundle that the main process obeys.
func ownDirectives(f *os.File) (*apacheconf.Tree, error) {
	at, err := parts(f)
	if err != nil {
		return nil, err
	}
	b, err := readPart(f, at[0], at[1])
	if err != nil {
		return nil, err
	}
	return apacheconf.DecodeTree(b)
}

// openBundle takes a bundle's file over.
func openBundle(f *os.File) (*bundle, *apacheconf.Tree, error) {
	at, err := parts(f)
	if err != nil {
		return nil, nil, err
	}
	text, err := readPart(f, at[1], at[2])
	if err != nil {
		return nil, nil, err
	}
	tree, err := apacheconf.DecodeTree(text)
	if err != nil {
		return nil, nil, err
	}
	b := &bundle{f: f}
	if text, err = readPart(f, at[2], at[3]); err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(text, &b.index); err != nil {
		return nil, nil, errors.Join(errBundle, err)
	}
	for _, s := range b.index {
		if s.At >= 0 {
			s.At += at[3]
		}
	}
	return b, tree, nil
}

func (b *bundle) close() { b.f.Close() }

var _ directive.FileSystem = (*bundle)(nil)

// find is what the bundle has of a file; had is false when it is to be reached with this process's rights.
func (b *bundle) find(op, path string) (s *stored, had bool, err error) {
	s = b.index[filepath.Clean(path)]
	if s == nil {
		return nil, false, nil
	}
	if s.Errno != 0 {
		return s, true, &os.PathError{Op: op, Path: path, Err: s.Errno}
	}
	return s, true, nil
}

// Stat is of the time when the configuration was read.
func (b *bundle) Stat(path string) (fs.FileInfo, error) {
	s, had, err := b.find("stat", path)
	if !had {
		return os.Stat(path)
	}
	if err != nil {
		return nil, err
	}
	return storedInfo{filepath.Base(path), s}, nil
}

// ReadFile is the content at the time when the configuration was read.
func (b *bundle) ReadFile(path string) ([]byte, error) {
	s, had, err := b.find("open", path)
	if err != nil {
		return nil, err
	}
	if !had || s.At < 0 {
		return os.ReadFile(path)
	}
	return readPart(b.f, s.At, s.At+s.Length)
}

// ReadDir is a folder's entries at that time.
func (b *bundle) ReadDir(path string) ([]fs.DirEntry, error) {
	s, had, err := b.find("open", path)
	if err != nil {
		return nil, err
	}
	if !had || s.Names == nil && s.At < 0 {
		return os.ReadDir(path)
	}
	var list []fs.DirEntry
	for _, name := range s.Names {
		if e := b.index[filepath.Join(path, name)]; e != nil {
			list = append(list, fs.FileInfoToDirEntry(storedInfo{name, e}))
		}
	}
	return list, nil
}

// errProgram is why a program failed when the configuration was read.
type errProgram string

func (e errProgram) Error() string { return string(e) }

// Output is what the program said when the configuration was read.
func (b *bundle) Output(program, word string) ([]byte, error) {
	s := b.index[programKey(program, word)]
	if s == nil {
		return nil, errProgram(program + " was not called when the configuration was read")
	}
	if s.Text != "" {
		return nil, errProgram(s.Text)
	}
	return readPart(b.f, s.At, s.At+s.Length)
}

func programKey(program, word string) string { return "exec:" + program + "\x00" + word }

type storedInfo struct {
	name string
	*stored
}

func (i storedInfo) Name() string       { return i.name }
func (i storedInfo) Size() int64        { return i.stored.Size }
func (i storedInfo) Mode() fs.FileMode  { return i.stored.Mode }
func (i storedInfo) ModTime() time.Time { return i.stored.Time }
func (i storedInfo) IsDir() bool        { return i.stored.Mode.IsDir() }
func (i storedInfo) Sys() any           { return nil }

// gatherer reads files into a bundle to be. It is a directive.FileSystem that notes what it is asked.
type gatherer struct {
	directive.OSFiles
	index    map[string]*stored
	contents []byte
}

func newGatherer() *gatherer { return &gatherer{index: map[string]*stored{}} }

// look notes what a file is; its content is left to who asks with his own rights.
func (g *gatherer) look(path string) *stored {
	path = filepath.Clean(path)
	if s := g.index[path]; s != nil {
		return s
	}
	st, err := os.Stat(path)
	s := &stored{At: -1, Errno: errnoIn(err)}
	if err == nil {
		s.Mode, s.Size, s.Time = st.Mode(), st.Size(), st.ModTime()
	}
	g.index[path] = s
	return s
}

// mostContent is how much of one file is read: keys, certificates and lists of them are smaller, and a
// device has no end.
const mostContent = 64 << 20

// read notes a regular file with its content.
func (g *gatherer) read(path string) {
	s := g.look(path)
	if s.Errno != 0 || s.At >= 0 || !s.Mode.IsRegular() || s.Size > mostContent {
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		s.Errno = errnoIn(err)
		return
	}
	g.store(s, text)
}

func (g *gatherer) store(s *stored, text []byte) {
	s.At, s.Length = int64(len(g.contents)), int64(len(text))
	g.contents = append(g.contents, text...)
}

// folder notes a folder with its files.
func (g *gatherer) folder(path string) {
	s := g.look(path)
	if s.Errno != 0 || s.Names != nil {
		return
	}
	list, err := os.ReadDir(path)
	if err != nil {
		if s.Mode.IsDir() {
			s.Errno = errnoIn(err)
		}
		return
	}
	s.Names = []string{}
	for _, e := range list {
		s.Names = append(s.Names, e.Name())
		g.read(filepath.Join(path, e.Name()))
	}
}

// Output runs a program and notes what it says.
func (g *gatherer) Output(program, word string) ([]byte, error) {
	text, err := g.OSFiles.Output(program, word)
	s := &stored{}
	if err != nil {
		s.Text = err.Error()
	}
	g.store(s, text)
	g.index[programKey(program, word)] = s
	return text, err
}

// errnoIn is the operating system's number in an error, ELOOP for a link that is not followed; EIO when there is none in
// it, 0 without error.
func errnoIn(err error) syscall.Errno {
	var no syscall.Errno
	switch {
	case err == nil:
		return 0
	case errors.As(err, &no):
		return no
	case errors.Is(err, sink.ErrLink):
		return syscall.ELOOP
	}
	return syscall.EIO
}

// newBundle makes a file and writes a bundle to it.
func newBundle(own, all *apacheconf.Tree, files *gatherer) (*os.File, error) {
	f, err := memory.Unnamed("balancerd-configuration")
	if err != nil {
		return nil, err
	}
	if err := writeBundle(f, own, all, files); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
