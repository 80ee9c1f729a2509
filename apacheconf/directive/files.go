package directive

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// FileSystem reaches the files that a configuration names, with the rights of whoever reads the
// configuration: often root, who may read keys that the serving process may not.
type FileSystem interface {
	Stat(path string) (fs.FileInfo, error)
	ReadFile(path string) ([]byte, error)
	// ReadDir is a folder's entries, sorted by name.
	ReadDir(path string) ([]fs.DirEntry, error)
	// Output is what a program that the configuration names prints when it is called with one word.
	Output(program, word string) ([]byte, error)
}

// OSFiles is the FileSystem with the rights of this process.
type OSFiles struct{}

var _ FileSystem = OSFiles{}

// Stat is os.Stat.
func (OSFiles) Stat(path string) (fs.FileInfo, error) { return os.Stat(path) }

// ReadFile is os.ReadFile.
func (OSFiles) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

// ReadDir is os.ReadDir.
func (OSFiles) ReadDir(path string) ([]fs.DirEntry, error) { return os.ReadDir(path) }

// programTime bounds a program's run.
const programTime = 30 * time.Second

// Output runs the program for 30 seconds at most.
func (OSFiles) Output(program, word string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), programTime)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, program, word)
	cmd.Stdout = &out
	err := cmd.Run()
	return out.Bytes(), err
}

// IsFolder is nil when a path is a folder's; else the operating system's error.
func (c *Config) IsFolder(path string) error {
	st, err := c.Files.Stat(path)
	if err == nil && !st.IsDir() {
		err = syscall.ENOTDIR
	}
	return err
}

// FileUse is what is done with the file that a directive's first word names, as far as it needs the
// rights of whoever reads the configuration. The main process gets these files ready.
type FileUse uint8

// The uses.
const (
	NoFile        FileUse = iota // none, or with the rights of the serving process
	LooksAt                      // whether it is there, and what it is
	LooksAtSecond                // the same, of the second word
	LooksAtMap                   // the same, of a RewriteMap's second word, "txt:PATH"
	ReadsFile                    // its content
	ReadsFolder                  // its entries and the content of its files
	WritesLog                    // lines are appended, or given to a program
	RunsProgram                  // "exec:PROGRAM": what it prints
	KeepsState                   // no file of its own: balancers are kept below the runtime directory
)
