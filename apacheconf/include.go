package apacheconf

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"balancerd/apacheconf/pattern"
)

// maxDepth is how deep inclusions may nest (httpd: config.h AP_MAX_INCLUDE_DEPTH).
const maxDepth = 128

const includeHint = "Name(s) of the config file(s) to be included; fails if the wildcard does not match at least one file"
const optionalHint = "Name or pattern of the config file(s) to be included; ignored if the file does not exist or the pattern does not match any files"

// doInclude reads the files that one Include or IncludeOptional names, in order.
func (r *reader) doInclude(c *cursor, g *Group, args string) error {
	optional := strings.EqualFold(g.Name, "IncludeOptional")
	hint := includeHint
	if optional {
		hint = optionalHint
	}
	name, err := one(g.Name, args, hint)
	if err != nil {
		return err
	}
	g.Outside = true
	if r.depth++; r.depth > maxDepth {
		return msg("Exceeded maximum include depth of 128, There appears to be a recursion.")
	}
	defer func() { r.depth-- }()
	full := absolute(r.tree.ServerRoot, name)
	if strings.HasSuffix(name, "/") && full != "/" {
		full += "/" // a file of that name is none
	}
	files, err := findFiles(full, optional)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := r.includeFile(g, f, optional); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) includeFile(g *Group, file string, optional bool) error {
	text, err := readConfig(file)
	if err != nil {
		if optional && os.IsNotExist(err) {
			return nil
		}
		return msg(couldNotOpen(file, err))
	}
	r.tree.Includes = append(r.tree.Includes, Include{Depth: r.depth, Line: g.Pos.Line, File: file})
	nodes, err := r.text(file, text)
	if err != nil {
		return wrap(err)
	}
	g.Children = append(g.Children, nodes...)
	return nil
}

// wrap makes an included file's error part of the including line's message.
func wrap(err error) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	return msg(syntaxError(e.Pos, e.Msg))
}

// findFiles lists the files of one Include: a file, a folder with all below it, or a pattern with
// wildcards in any of its parts (httpd: util.c ap_dir_fnmatch).
func findFiles(name string, optional bool) ([]string, error) {
	if !pattern.IsShell(name) {
		return tree(name, optional), nil
	}
	dirs := []string{"/"}
	parts := strings.Split(strings.TrimPrefix(name, "/"), "/")
	for i, part := range parts {
		var next []string
		for _, d := range dirs {
			found, err := expandPart(d, part, i == len(parts)-1, optional)
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
		}
		dirs = next
	}
	var files []string
	for _, f := range dirs {
		files = append(files, tree(f, optional)...)
	}
	return files, nil
}

// expandPart finds the entries of dir that one part of a pattern names; in mid-path folders only, and
// no links to folders.
func expandPart(dir, part string, last, optional bool) ([]string, error) {
	if !pattern.IsShell(part) {
		return []string{path.Join(dir, part)}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		if optional && errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, msg("Include/IncludeOptional: Could not open directory " + dir + ": " + errnoWords(err))
	}
	var out []string
	glob := strings.ReplaceAll(part, "[!", "[^")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(part, ".") {
			continue
		}
		if ok, _ := filepath.Match(glob, e.Name()); ok && (last || e.IsDir()) {
			out = append(out, path.Join(dir, e.Name()))
		}
	}
	sort.Strings(out)
	if len(out) == 0 && !optional {
		return nil, msg("Include/IncludeOptional: No matches for the wildcard '" + part + "' in '" + dir + "', failing")
	}
	return out, nil
}

// tree is a file itself, or every entry below a folder in byte order, hidden ones too. An optional one
// that is not there is none.
func tree(name string, optional bool) []string {
	st, err := os.Stat(name)
	if err != nil && optional {
		return nil
	}
	if err != nil || !st.IsDir() {
		return []string{name}
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	var out []string
	for _, n := range names {
		out = append(out, tree(path.Join(name, n), optional)...)
	}
	return out
}
