package process

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"balancerd/proxy/site"
)

// Holds reports whether an address that is taken is taken by the running server of the pid file p alone, or,
// where there is no pid file, by this very program: a reload gets along with it. Where /proc does not tell
// who has a socket a server that runs is believed to.
func (p *PidFile) Holds(at site.Listener) bool {
	pid := 0
	if p.Path != "" {
		if pid, _ = p.read(); !p.alive(pid) {
			return false
		}
	}
	holders := portHolders(at.Address)
	if len(holders) == 0 {
		return pid != 0
	}
	for _, who := range holders {
		switch {
		case pid != 0 && len(who) > 0 && !slices.Contains(who, pid):
			return false
		case pid == 0 && !slices.ContainsFunc(who, sameProgram):
			return false
		}
	}
	return true
}

func sameProgram(pid int) bool {
	theirs, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return false
	}
	ours, err := os.Stat("/proc/self/exe")
	return err == nil && os.SameFile(theirs, ours)
}

// serverOf is the main process of another server of this program among holders; 0 for none.
func serverOf(list [][]int) int {
	for _, who := range list {
		for _, pid := range who {
			if pid != os.Getpid() && sameProgram(pid) && !slices.Contains(who, parentOf(pid)) {
				return pid
			}
		}
	}
	return 0
}

// portHolders are the processes that have each listening socket in the way of an address: none for a socket
// of which /proc does not tell. nil: there is no such socket, or no /proc.
func portHolders(address string) [][]int {
	want, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil
	}
	var list [][]int
	sockets := map[string]int{} // inode: its place in list
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table)
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" { // TCP_LISTEN
				continue
			}
			if at, ok := parseProcAddress(f[1]); ok && collide(at, want) {
				sockets[f[9]] = len(list)
				list = append(list, nil)
			}
		}
	}
	if len(list) > 0 {
		findHolders(sockets, list)
	}
	return list
}

// findHolders looks through all processes' descriptors for sockets, by inode.
func findHolders(sockets map[string]int, list [][]int) {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		name, _ := os.Readlink(link)
		inode, ok := strings.CutPrefix(name, "socket:[")
		if !ok {
			continue
		}
		i, wanted := sockets[strings.TrimSuffix(inode, "]")]
		if !wanted {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
		if !slices.Contains(list[i], pid) {
			list[i] = append(list[i], pid)
		}
	}
}

// collide reports whether two sockets can't both listen.
func collide(a, b netip.AddrPort) bool {
	x, y := a.Addr().Unmap(), b.Addr().Unmap()
	return a.Port() == b.Port() && (x == y || x.IsUnspecified() || y.IsUnspecified())
}

// parseProcAddress reads "0100007F:5DBF": words of the machine's order in hexadecimal digits.
func parseProcAddress(text string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(host)
	n, perr := strconv.ParseUint(port, 16, 16)
	if err != nil || perr != nil || len(b)%4 != 0 {
		return netip.AddrPort{}, false
	}
	if littleEndian {
		for word := range slices.Chunk(b, 4) {
			slices.Reverse(word)
		}
	}
	addr, ok := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(addr, uint16(n)), ok
}

// holderNames are the processes in words: "nginx (pid 12)".
func holderNames(list [][]int) string {
	var names []string
	for _, who := range list {
		for _, pid := range who {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			text := fmt.Sprintf("%s (pid %d)", strings.TrimSpace(string(name)), pid)
			if !slices.Contains(names, text) {
				names = append(names, text)
			}
		}
	}
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return strings.Join(names, ", ")
}

// littleEndian: the machine's words begin with their last byte.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
