package process

import (
	"bufio"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// trim gives memory back that only a start, or the reading of a configuration, needs: what is free of the
// heap, and pages of files (the program's own above all) that no process has written to. The system
// brings back those that are used again.
func trim() {
	debug.FreeOSMemory()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	var at mapping
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) >= 6 && strings.HasPrefix(words[5], "/"):
			at = mappingOf(words)
		case len(words) >= 5 && !strings.HasSuffix(words[0], ":"):
			at = mapping{}
		case len(words) == 3 && words[0] == "Anonymous:" && words[1] == "0" && at.end > at.start:
			syscall.Syscall(syscall.SYS_MADVISE, at.start, at.end-at.start, syscall.MADV_DONTNEED)
		}
	}
}

// mapping is a part of the process's memory that is a file's and that can't be written to; else empty.
type mapping struct{ start, end uintptr }

func mappingOf(words []string) mapping {
	from, to, _ := strings.Cut(words[0], "-")
	start, err := strconv.ParseUint(from, 16, 64)
	end, err2 := strconv.ParseUint(to, 16, 64)
	if err != nil || err2 != nil || strings.Contains(words[1], "w") || !strings.HasSuffix(words[1], "p") {
		return mapping{}
	}
	return mapping{uintptr(start), uintptr(end)}
}
