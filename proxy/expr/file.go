package expr

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
)

// maxFile bounds what file() reads (httpd: util_expr_eval.c MAX_FILE_SIZE).
const maxFile = 10 << 20

// fileText is a file's text; when it cannot be read the whole expression fails.
func fileText(r *run, name string) string {
	r.x.Block()
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxFile {
		r.fail(errors.New("File " + name + " too large"))
		return ""
	}
	if err == nil && !info.Mode().IsRegular() {
		// httpd would wait on a pipe and read nothing from a directory.
		r.fail(errors.New("Cannot read from file " + name))
		return ""
	}
	b, err := os.ReadFile(name)
	if err != nil {
		r.fail(errors.New("Cannot open file " + name))
		return ""
	}
	return cString(string(b))
}

func fileSize(r *run, name string) string {
	r.x.Block()
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return strconv.FormatInt(info.Size(), 10)
	}
	return "0"
}

func exists(r *run, name string) bool {
	return isFile(r, os.Stat, name, func(fs.FileInfo) bool { return true })
}

func isDirectory(r *run, name string) bool { return isFile(r, os.Stat, name, fs.FileInfo.IsDir) }

func isRegular(r *run, name string) bool {
	return isFile(r, os.Stat, name, func(i fs.FileInfo) bool { return i.Mode().IsRegular() })
}

func isFilled(r *run, name string) bool {
	return isFile(r, os.Stat, name, func(i fs.FileInfo) bool { return i.Mode().IsRegular() && i.Size() > 0 })
}

func isLink(r *run, name string) bool {
	return isFile(r, os.Lstat, name, func(i fs.FileInfo) bool { return i.Mode()&fs.ModeSymlink != 0 })
}

func isExecutable(r *run, name string) bool {
	return isFile(r, os.Lstat, name, func(i fs.FileInfo) bool { return i.Mode()&0o111 != 0 })
}

// isFile reports whether a file is there and is as wanted.
func isFile(r *run, look func(string) (fs.FileInfo, error), name string, is func(fs.FileInfo) bool) bool {
	r.x.Block()
	info, err := look(name)
	return err == nil && is(info)
}
