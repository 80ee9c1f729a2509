package static

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"balancerd/proxy/exchange"
)

// place is what a file name leads to: httpd's filename, path_info and finfo after the directory walk.
type place struct {
	name string      // the longest part that is there; with what is missing, its first missing segment
	info string      // what follows, with its slash
	stat os.FileInfo // nil: nothing is there
}

// fileType is what is there.
func (at *place) fileType() exchange.FileType {
	switch {
	case at.stat == nil:
		return exchange.NoFile
	case at.stat.IsDir():
		return exchange.Directory
	}
	return exchange.Regular
}

// refusal is why a file may not be reached: 403 with a line for the error log.
type refusal struct {
	code  string // "AH00037"
	cause error  // the system's error, printed in front; nil for none
	text  string
}

func (r *refusal) Error() string {
	if r.code == "" {
		return r.text
	}
	return r.code + ": " + r.text
}

// errClimbs is of a name that leads upwards, or is none.
var errClimbs = errors.New("cannot be mapped to a file")

// find walks a clean absolute name. follow tells what to do about a symbolic link as the i-th segment;
// nil follows all (httpd: request.c ap_directory_walk).
func find(name, uri string, follow func(i int) linkRule) (place, error) {
	if strings.IndexByte(name, 0) >= 0 || hasDots(name) {
		return place{}, errClimbs
	}
	if follow == nil {
		if fi, err := os.Stat(name); err == nil && ordinary(fi) {
			return place{name: name, stat: fi}, nil
		}
	}
	return walk(name, uri, follow)
}

// hasDots reports whether a segment is "..": nothing that maps here may climb.
func hasDots(name string) bool {
	for seg := range strings.SplitSeq(name, "/") {
		if seg == ".." {
			return true
		}
	}
	return false
}

func ordinary(fi os.FileInfo) bool { return fi.Mode().IsRegular() || fi.IsDir() }

func walk(name, uri string, follow func(i int) linkRule) (place, error) {
	at := place{}
	for i, end := 0, 0; end < len(name); i++ {
		end = nextSegment(name, end)
		at = place{name: name[:end], info: name[end:]}
		if strings.HasSuffix(at.name, "/") { // a final slash
			return found(at, name)
		}
		fi, err := step(at.name, uri, i, follow)
		if err != nil {
			return at, err
		}
		at.stat = fi
		if fi == nil || !fi.IsDir() {
			return at, nil
		}
	}
	return at, nil
}

func found(at place, name string) (place, error) {
	fi, err := os.Stat(name)
	if err != nil {
		return place{name: strings.TrimRight(name, "/"), info: "/"}, nil
	}
	at.stat = fi
	return at, nil
}

// nextSegment is the end of the segment that follows position i, where a slash stands.
func nextSegment(name string, i int) int {
	if j := strings.IndexByte(name[i+1:], '/'); j >= 0 {
		return i + 1 + j
	}
	return len(name)
}

// step looks at one segment; nil without an error: there is nothing.
func step(name, uri string, i int, follow func(i int) linkRule) (os.FileInfo, error) {
	fi, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, &refusal{code: "AH00035", cause: err, text: "access to " + uri + " denied (filesystem path '" + name + "') because search permissions are missing on a component of the path"}
	case err != nil:
		return nil, &refusal{code: "AH00036", cause: err, text: "access to " + uri + " failed (filesystem path '" + name + "')"}
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		rule := followAlways
		if follow != nil {
			rule = follow(i)
		}
		if fi = resolve(name, fi, rule); fi == nil {
			return nil, &refusal{code: "AH00037", cause: nil, text: "Symbolic link not allowed or link target not accessible: " + name}
		}
	}
	if !ordinary(fi) {
		return nil, &refusal{code: "AH00038", cause: nil, text: "Forbidden: " + name + " doesn't point to a file or directory"}
	}
	return fi, nil
}

// linkRule is what Options says of symbolic links.
type linkRule uint8

const (
	followAlways linkRule = iota // FollowSymLinks
	followOwner                  // SymLinksIfOwnerMatch
	followNever
)

// resolve is the link's target, or nil when it may not be followed (httpd: request.c resolve_symlink).
func resolve(name string, link os.FileInfo, rule linkRule) os.FileInfo {
	if rule == followNever {
		return nil
	}
	target, err := os.Stat(name)
	if err != nil || rule == followOwner && !sameOwner(link, target) {
		return nil
	}
	return target
}

func sameOwner(a, b os.FileInfo) bool {
	x, ok1 := a.Sys().(*syscall.Stat_t)
	y, ok2 := b.Sys().(*syscall.Stat_t)
	return ok1 && ok2 && x.Uid == y.Uid
}

// refuse logs a refusal and is the status to answer with.
func refuse(x *exchange.Exchange, err error) error {
	var r *refusal
	if err == errClimbs {
		x.Log("core", exchange.Error, nil, x.Arena.Join("AH00127: Cannot map ", x.Req.Line, " to file"))
	} else if errors.As(err, &r) {
		x.Log("core", exchange.Error, r.cause, r.Error())
	}
	return exchange.Status(403)
}
