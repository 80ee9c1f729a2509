package sink

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Folder is an opened folder in which a file shall be made, perhaps by root. What is made or opened in
// it is the folder's that was looked at, whatever its name leads to meanwhile.
//
// Where somebody else may write to the folder, he can put a link in the place of any name. There only
// root's own links are followed, and no file with a second name is appended to.
type Folder struct {
	f      *os.File
	path   string
	shared bool // others than root and this process's user may put names into it
}

// ErrLink is a name that somebody else could have led elsewhere.
var ErrLink = errors.New("a link in a folder that others may write")

// OpenFolder opens a folder by its path. The error is the operating system's.
func OpenFolder(path string) (*Folder, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Folder{f: f, path: path, shared: sharedBy(st)}, nil
}

// sharedBy reports whether others than root and this process's user may write to a folder. The group is
// taken for others unless it is root's or this process's own.
func sharedBy(st os.FileInfo) bool {
	s, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	mode := st.Mode().Perm()
	mine := s.Uid == 0 || int(s.Uid) == os.Geteuid()
	ownGroup := s.Gid == 0 || os.Geteuid() != 0 && int(s.Gid) == os.Getegid()
	return !mine || mode&0o002 != 0 || mode&0o020 != 0 && !ownGroup
}

// Shared reports whether others than root and this process's user may put names into it.
func (d *Folder) Shared() bool { return d.shared }

// Close closes the folder; files that were opened in it live on.
func (d *Folder) Close() error { return d.f.Close() }

func (d *Folder) fd() int { return int(d.f.Fd()) }

// at wraps an error with the path that it is about.
func (d *Folder) at(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: d.path + "/" + name, Err: err}
}

// Append opens a file of the folder for appending and makes it, readable by all as the umask allows, when
// it is missing. A pipe that nobody reads is waited for as long as readerTime, then it is
// an error, ENXIO: nothing else could be done, nor a signal obeyed. The error is the operating system's, or ErrLink.
func (d *Folder) Append(name string) (f *os.File, err error) {
	for end := time.Now().Add(readerTime); ; time.Sleep(20 * time.Millisecond) {
		if f, err = d.append(name); !errors.Is(err, syscall.ENXIO) || time.Now().After(end) {
			return f, err
		}
	}
}

// readerTime is how long a pipe may be without a reader.
var readerTime = 3 * time.Second

func (d *Folder) append(name string) (*os.File, error) {
	const flags = syscall.O_WRONLY | syscall.O_APPEND | syscall.O_CREAT | syscall.O_CLOEXEC | syscall.O_NONBLOCK
	if !d.shared {
		return d.open(name, flags, 0o666)
	}
	f, err := d.open(name, flags|syscall.O_NOFOLLOW, 0o666)
	if errors.Is(err, syscall.ELOOP) {
		if !d.rootsLink(name) {
			return nil, d.at("open", name, ErrLink)
		}
		return d.open(name, flags, 0o666)
	}
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() && st.Sys().(*syscall.Stat_t).Nlink > 1 {
		f.Close()
		return nil, d.at("open", name, ErrLink)
	}
	return f, nil
}

// open opens a file, whose reads and writes block: O_NONBLOCK is about the opening alone.
func (d *Folder) open(name string, flags int, mode uint32) (*os.File, error) {
	for {
		fd, err := openat(d, name, flags, mode)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, d.at("open", name, err)
		}
		if flags&syscall.O_NONBLOCK != 0 {
			syscall.SetNonblock(fd, false)
		}
		return os.NewFile(uintptr(fd), d.path+"/"+name), nil
	}
}

// rootsLink reports whether a name is a symbolic link that root has made. Between this look and the
// opening it can be replaced only by who could as well replace the folder's files, and the kernel's
// protected_symlinks closes that gap in folders with the sticky bit.
func (d *Folder) rootsLink(name string) bool {
	st, err := os.Lstat(d.path + "/" + name)
	if err != nil {
		return false
	}
	s, ok := st.Sys().(*syscall.Stat_t)
	return ok && s.Uid == 0
}

// Replace puts a file with a content in the place of whatever has the name. The new file is made under
// a random name that nothing has, and moved; a link of that name is replaced, never followed. mode is
// the file's permissions whatever the umask says.
func (d *Folder) Replace(name string, content []byte, mode os.FileMode) (err error) {
	temp := name + "." + strconv.FormatUint(rand.Uint64(), 36)
	f, err := d.open(temp, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, uint32(mode.Perm()))
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err == nil {
		err = d.at("rename", name, renameat(d, temp, name))
	}
	if err != nil {
		d.Remove(temp)
	}
	return err
}

// Remove takes a name out of the folder; not that of a folder.
func (d *Folder) Remove(name string) error { return d.at("remove", name, unlinkat(d, name)) }

// Give opens a folder within this one that a user shall own and alone may enter, and makes it when it is
// missing. One that is there must be a folder, no link to one, and belong to the user, or to root and be
// empty of what others put there: what root made is given away with its files.
func (d *Folder) Give(name string, uid, gid int) (*os.File, error) {
	made := false
	if err := mkdirat(d, name, 0o700); err == nil {
		made = true
	} else if err != syscall.EEXIST {
		return nil, d.at("mkdir", name, err)
	}
	f, err := d.open(name, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := give(f, uid, gid, made || !d.shared); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// give makes a folder and the files in it a user's, where root may do so without harm: they are
// certainly what root made.
func give(f *os.File, uid, gid int, ours bool) error {
	st, err := f.Stat()
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	owner := int(st.Sys().(*syscall.Stat_t).Uid)
	switch {
	case owner == uid:
		return nil
	case owner != 0 || !ours:
		return fmt.Errorf("%s belongs to user %d and not to user %d, who shall keep the balancers' state there", f.Name(), owner, uid)
	}
	names, err := f.Readdirnames(-1)
	if err != nil {
		return err
	}
	d := &Folder{f: f, path: f.Name()}
	for _, name := range names {
		if err := d.giveFile(name, uid, gid); err != nil {
			return err
		}
	}
	return f.Chown(uid, gid)
}

// giveFile gives one regular file away that has no second name; others stay as they are.
func (d *Folder) giveFile(name string, uid, gid int) error {
	f, err := d.open(name, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Sys().(*syscall.Stat_t).Nlink > 1 {
		return err
	}
	return f.Chown(uid, gid)
}
