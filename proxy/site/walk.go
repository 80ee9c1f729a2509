package site

import (
	"strings"

	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// walk gathers the sections that hold for a request, in httpd's merging order.
type walk struct {
	x    *exchange.Exchange
	host *Host
	end  *node // the chain so far
	next int   // depth of the first folder whose access file was not asked for yet
	err  error // what ends the walk: an access file, a link on the way to one

	found [2][16]int32 // memory for candidates
}

// add takes a section into the chain if it covers text.
func (w *walk) add(s *section, text string) {
	if s.covers(w.x, text) {
		w.end = w.end.enter(s)
	}
}

// all adds the sections of a list that cover text.
func (w *walk) all(l *list, text string) {
	c := l.candidates(text, w.found[0][:0])
	for s := c.next(); s != nil; s = c.next() {
		w.add(s, text)
	}
}

// targets adds the <Proxy> sections of a member's URL (httpd: mod_proxy.c proxy_walk). What is mapped to
// a member is no file: <Files> says nothing of it.
func (w *walk) targets(url string) {
	for _, s := range w.host.sections {
		w.all(&s.proxies, url)
	}
}

// TargetScopes is the scopes that hold for what is sent to a URL on nobody's request: the server's own, and the <Proxy>
// sections that cover it, in merging order.
func (h *Host) TargetScopes(url string) []*directive.Scope {
	w := walk{x: &exchange.Exchange{Server: h.Server}, host: h, end: h.root}
	w.targets(url)
	return w.end.scopes()
}

// locations adds the <Location> sections of the path. Those without a regular expression take runs of
// slashes as one.
func (w *walk) locations() {
	if n, ok := w.x.State[exchange.StateLocated].(*node); ok && w.x.Located == w.x.Req.Path && n.tree == w.end.tree {
		w.located(n)
		return
	}
	merged := mergedPath(w.x)
	for _, s := range w.host.sections {
		c := s.locations.candidates(merged, w.found[0][:0])
		for s := c.next(); s != nil; s = c.next() {
			w.add(s, s.path(w.x, merged))
		}
	}
}

// located adds the sections of a chain that has no others than the <Location>s of this path: they were found
// before the request was mapped.
func (w *walk) located(n *node) {
	if n.own != nil {
		w.located(n.up)
		w.end = w.end.enter(n.own)
	}
}

// directories adds the <Directory> sections of the folders on the way to the file, from the root down,
// and what the folders' access files say behind those of the folder, then the regular expressions that fit the
// whole name (httpd: request.c ap_directory_walk). What is not there is no folder, and has no section of its own.
func (w *walk) directories() {
	if w.walkedAlready() {
		return
	}
	defer w.remember()
	d := descent{name: strings.TrimRight(w.x.Filename, "/")}
	var both [2]candidates // the main server's and the virtual host's
	for i, s := range w.host.sections {
		both[i] = s.directories.candidates(d.name, w.found[i][:0])
	}
	for s := nextFolder(&both); s != nil && w.err == nil; s = nextFolder(&both) {
		w.accessFiles(&d, s.depth)
		w.folder(s, &d)
	}
	if w.accessFiles(&d, lastDepth); w.err == nil && strings.HasPrefix(d.name, "/") {
		w.err = w.admits(w.x.Filename)
	}
}

// nextFolder is the section with the shorter name, the main server's first.
func nextFolder(both *[2]candidates) *section {
	var first *section
	from := &both[0]
	for i := range both {
		if both[i].list == nil {
			continue
		}
		if s := both[i].peek(); s != nil && (first == nil || s.depth < first.depth) {
			first, from = s, &both[i]
		}
	}
	if first != nil {
		from.skip()
	}
	return first
}

// descent is how far down a file's name a walk has come.
type descent struct {
	name       string
	depth, end int // name[:end] has so many segments
}

// to goes on to the folder of a depth; false: the name is not so deep.
func (d *descent) to(depth int) (folder string, ok bool) {
	for d.depth < depth && d.end < len(d.name) {
		d.depth, d.end = d.depth+1, segmentEnd(d.name, d.end)
	}
	return d.name[:d.end], d.depth >= depth
}

// folder adds a <Directory> section if it covers a folder on the way, or by its regular expression the
// file's name.
func (w *walk) folder(s *section, d *descent) {
	if s.regex != nil {
		w.add(s, w.x.Filename)
		return
	}
	folder, ok := d.to(s.depth)
	if !ok || !s.match(w.x, folder) {
		return
	}
	if d.end < len(d.name) || d.end == 0 || w.walksThrough() {
		w.end = w.end.enter(s)
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

// sameFolder reports whether the file lies in the folder that was walked last, or is it.
func sameFolder(x *exchange.Exchange) bool {
	if x.FileType == exchange.Directory {
		n := len(strings.TrimRight(x.Filename, "/"))
		return len(x.Folder) == n+1 && x.Folder[n] == '/' && x.Folder[:n] == x.Filename[:n]
	}
	return x.Folder == parent(x.Filename)
}

// remember keeps what was walked for lookups and internal redirects. A walk that came to no end is none: whoever comes
// to the folder next meets the same error.
func (w *walk) remember() {
	if w.err != nil {
		return
	}
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

// walksThrough reports whether the whole name counts as a folder: it is one, or it is a file and Options
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
func (w *walk) files() {
	name := w.x.Filename[strings.LastIndexByte(w.x.Filename, '/')+1:]
	directories := w.end.held
	for _, s := range w.host.sections {
		w.all(&s.files, name)
	}
	for _, d := range directories {
		for i := range d.files {
			w.add(&d.files[i], name)
		}
	}
}

// conditions adds the branches of the <If> chains: the server's, then those inside of the sections, then,
// once all of these are known, those inside of the branches (httpd: request.c ap_if_walk).
func (w *walk) conditions() {
	held := w.end.held
	var inner []ifGroup
	for _, s := range w.host.sections {
		inner = w.branches(s.ifs, inner)
	}
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
