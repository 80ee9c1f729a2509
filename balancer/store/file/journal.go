package file

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// journal is a file of lines, a record each. The last line of a balancer counts. Lines are added at the end; when
// most of them no longer count, the file is written anew beside the old one and takes its name.
type journal struct {
	name string // of the file in the store's folder
	head string // its first line

	mu     sync.Mutex        // one writer at a time; what follows is under it
	f      *os.File          // nil: none is written to yet
	last   map[string][]byte // the last line of each balancer: nothing that happens to the file can harm it
	size   int64             // of the file
	counts int64             // bytes of the lines that count
}

// line is a line to be written, with its end, and whose balancer's it is.
type line struct {
	key  string
	text []byte
}

type lines []line

// slack is how many bytes that no longer count a journal may hold besides as many as count.
const slack = 64 << 10

// add writes lines, and returns when they are on the disk; on an error none is there. open opens the store's folder.
func (j *journal) add(l lines, open func() (*os.Root, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	d, err := open()
	if err != nil {
		return err
	}
	defer d.Close()
	var text []byte
	for i := range l {
		text = append(text, l[i].text...)
	}
	if !j.inPlace(d) || j.size+int64(len(text)) > 2*(j.counts+slack) {
		return j.rewrite(d, l)
	}
	if err := j.append(text); err != nil {
		return errors.Join(err, j.f.Truncate(j.size))
	}
	for i := range l {
		j.put(l[i])
	}
	return nil
}

// inPlace reports whether the file that is written to still has the journal's name, and is as it was left.
func (j *journal) inPlace(d *os.Root) bool {
	if j.f == nil {
		return false
	}
	own, err := j.f.Stat()
	named, err2 := d.Lstat(j.name)
	return err == nil && err2 == nil && os.SameFile(own, named) && own.Size() == j.size
}

// append writes behind the end.
func (j *journal) append(text []byte) error {
	if _, err := j.f.WriteAt(text, j.size); err != nil {
		return err
	}
	return j.f.Sync()
}

// put notes a line that was written.
func (j *journal) put(l line) {
	j.counts += int64(len(l.text) - len(j.last[l.key]))
	j.last[l.key] = l.text
	j.size += int64(len(l.text))
}

// rewrite makes the file anew, of the lines that count and those of l. What has its temporary name, left by a crash or
// put there by somebody, is taken away and never written to; the old file stays until the new one is whole.
func (j *journal) rewrite(d *os.Root, l lines) error {
	if err := remove(d, j.name+half); err != nil {
		return err
	}
	f, err := d.OpenFile(j.name+half, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n := &journal{head: j.head, f: f, last: make(map[string][]byte, len(j.last)+len(l))}
	if err := n.fill(j.last, l); err != nil {
		return errors.Join(err, f.Close(), remove(d, j.name+half))
	}
	if err := d.Rename(j.name+half, j.name); err != nil {
		return errors.Join(err, f.Close(), remove(d, j.name+half))
	}
	if j.f != nil {
		j.f.Close()
	}
	j.f, j.last, j.size, j.counts = n.f, n.last, n.size, n.counts
	return syncDir(d)
}

// fill writes those of last that none of l replaces, then of l the last of each balancer.
func (j *journal) fill(last map[string][]byte, l lines) error {
	newer := make(map[string][]byte, len(l))
	for i := range l {
		newer[l[i].key] = l[i].text
	}
	w := bufio.NewWriterSize(j.f, 64<<10)
	w.WriteString(j.head)
	j.size = int64(len(j.head))
	for key, text := range last {
		if newer[key] == nil {
			w.Write(text)
			j.put(line{key, text})
		}
	}
	for key, text := range newer {
		w.Write(text)
		j.put(line{key, text})
	}
	return errors.Join(w.Flush(), j.f.Sync()) // the writer remembers its first error
}

// scan reads the journal that is in d and has take decode each line. The error, which may join several, says
// which lines are damaged; that of a journal which is not there is fs.ErrNotExist.
func (j *journal) scan(d *os.Root, take func(text []byte) error) error {
	path := filepath.Join(d.Name(), j.name)
	f, err := openFile(d, j.name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	if head, err := r.ReadString('\n'); head != j.head {
		return fmt.Errorf("%s: %w", path, errors.Join(errHead, unlessEnd(err)))
	}
	var errs []error
	for n := 2; ; n++ {
		text, err := r.ReadBytes('\n')
		if len(text) > 0 {
			if bad := take(text); bad != nil {
				errs = append(errs, fmt.Errorf("%s, line %d: %w", path, n, bad))
			}
		}
		if err != nil {
			return errors.Join(append(errs, unlessEnd(err))...)
		}
	}
}

// openFile opens a file that is one: what else has its name could keep the reader waiting.
func openFile(d *os.Root, name string) (*os.File, error) {
	st, err := d.Stat(name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a file", filepath.Join(d.Name(), name))
	}
	return d.Open(name)
}

func unlessEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

func remove(d *os.Root, file string) error {
	if err := d.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir makes a rename last.
func syncDir(d *os.Root) error {
	f, err := d.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
