package site

import (
	"strings"

	"balancerd/proxy/exchange"
)

// walk gathers the sections that hold for a mapped request, in httpd's merging order.
type walk struct {
	x   *exchange.Exchange
	end *node // the chain so far
}

// add takes a section into the chain if it covers text.
func (w *walk) add(s *section, text string) {
	if s.covers(w.x, text) {
		w.end = w.end.enter(s)
	}
}

// targets adds the <Proxy> sections of a member's URL (httpd: mod_proxy.c proxy_walk). What is mapped to
// a member is no file: <Files> says nothing of it.
func (w *walk) targets(list []section, url string) {
	for i := range list {
		w.add(&list[i], url)
	}
}

// locations adds the <Location> sections of the path.
func (w *walk) locations(list []section) {
	merged := mergedPath(w.x)
	for i := range list {
		w.add(&list[i], list[i].path(w.x, merged))
	}
}

// directories adds the <Directory> sections of the folders on the way to the file, from the root down,
// then the regular expressions that fit the whole name (httpd: request.c ap_directory_walk). What is not
// there is no folder, and has no section of its own.
func (w *walk) directories(list []section) {
	if w.walkedAlready() {
		return
	}
	defer w.remember()
	name := strings.TrimRight(w.x.Filename, "/")
	depth, end := 0, 0 // name[:end] has so many segments
	for i := range list {
		s := &list[i]
		if s.regex != nil {
			w.add(s, w.x.Filename)
			continue
		}
		for depth < s.depth && end < len(name) {
			depth, end = depth+1, segmentEnd(name, end)
		}
		if depth < s.depth || !s.match(w.x, name[:end]) {
			continue
		}
		if end < len(name) || end == 0 || w.walksThrough() {
			w.end = w.end.enter(s)
		}
	}
}

// walkedAlready takes the sections of the request that this one is made of, a lookup or an internal redirect,
// when its file lies in the same folder and nothing stands behind its name: httpd does not walk there again, and regular expressions are not
// held against the new name.
func (w *walk) walkedAlready() bool {
	x := w.x
	walked, ok := x.State[exchange.StateWalk].(*node)
	if !ok || x.Main() && x.Depth == 0 || x.FileType == exchange.NoFile || x.PathInfo != "" || !sameFolder(x) {
		return false
	}
	w.end = walked
	return true
}

// sameFolder tells whether the file lies in the folder that was walked last, or is it.
func sameFolder(x *exchange.Exchange) bool {
	if x.FileType == exchange.Directory {
		n := len(strings.TrimRight(x.Filename, "/"))
		return len(x.Folder) == n+1 && x.Folder[n] == '/' && x.Folder[:n] == x.Filename[:n]
	}
	return x.Folder == parent(x.Filename)
}

// remember keeps what was walked for lookups and internal redirects.
func (w *walk) remember() {
	x := w.x
	x.Folder = x.Filename
	if x.FileType != exchange.Directory {
		x.Folder = parent(x.Filename)
	}
	x.State[exchange.StateWalk] = w.end
}

// segmentEnd is the end of the segment whose slash stands at i.
func segmentEnd(name string, i int) int {
	if j := strings.IndexByte(name[i+1:], '/'); j >= 0 {
		return i + 1 + j
	}
	return len(name)
}

// walksThrough tells whether the whole name counts as a folder: it is one, or it is a file and Options
// lets httpd walk on without a look at each segment.
func (w *walk) walksThrough() bool {
	switch {
	case w.x.FileType == exchange.Directory:
		return true
	case w.x.FileType != exchange.Regular || w.x.PathInfo != "":
		return false
	}
	p, err := w.end.compiled()
	return err == nil && p.FollowsLinks
}

// files adds the <Files> sections of the file's name, its last segment: the server's, then those inside of
// the directories (httpd: request.c ap_file_walk).
func (w *walk) files(list []section) {
	name := w.x.Filename[strings.LastIndexByte(w.x.Filename, '/')+1:]
	directories := w.end.held
	for i := range list {
		w.add(&list[i], name)
	}
	for _, d := range directories {
		for i := range d.files {
			w.add(&d.files[i], name)
		}
	}
}

// conditions adds the branches of the <If> chains: the server's, then those inside of the sections, then,
// once all of these are known, those inside of the branches (httpd: request.c ap_if_walk).
func (w *walk) conditions(server []ifGroup) {
	held := w.end.held
	inner := w.branches(server, nil)
	for _, s := range held {
		inner = w.branches(s.ifs, inner)
	}
	for len(inner) > 0 {
		inner = w.branches(inner, nil)
	}
}

// branches adds the branch of each chain whose test holds, and appends the chains inside of it to inner.
func (w *walk) branches(groups, inner []ifGroup) []ifGroup {
	for i := range groups {
		if b := w.branch(groups[i].branches); b != nil {
			w.end = w.end.down(b.scope, nil)
			inner = append(inner, b.ifs...)
		}
	}
	return inner
}

// branch is the first one whose test holds; nil for none. A test that fails has logged itself, and does
// not hold.
func (w *walk) branch(list []branch) *branch {
	for i := range list {
		b := &list[i]
		if b.test == nil {
			return b
		}
		ok, err := b.test.Match(w.x)
		tellCondition(w.x, b.scope, ok && err == nil)
		if ok && err == nil {
			return b
		}
	}
	return nil
}
