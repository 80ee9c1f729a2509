package apacheconf

import (
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
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
	files, err := findFiles(absolute(r.tree.ServerRoot, name), optional)
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
	nodes, err := r.text(file, text, false)
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
// wildcards in any of its parts (httpd: config.c ap_process_fnmatch_configs).
func findFiles(name string, optional bool) ([]string, error) {
	if !strings.ContainsAny(name, "*?[") {
		return tree(name), nil
	}
	parts := strings.Split(strings.TrimPrefix(name, "/"), "/")
	dirs := []string{"/"}
	for i, part := range parts {
		last := i == len(parts)-1
		var next []string
		for _, d := range dirs {
			found, err := expandPart(d, part, last, optional)
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
		}
		dirs = next
	}
	var files []string
	for _, f := range dirs {
		files = append(files, tree(f)...)
	}
	return files, nil
}

// expandPart finds the entries of dir that one part of a pattern names.
func expandPart(dir, part string, last, optional bool) ([]string, error) {
	if !strings.ContainsAny(part, "*?[") {
		p := path.Join(dir, part)
		if _, err := os.Stat(p); err != nil && optional {
			return nil, nil
		}
		return []string{p}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		if optional {
			return nil, nil
		}
		return nil, msg("Include/IncludeOptional: Could not open directory " + dir + ": " + errnoWords(err))
	}
	var out []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(part, ".") {
			continue
		}
		if ok, _ := filepath.Match(part, e.Name()); ok && (last || isDir(path.Join(dir, e.Name()))) {
			out = append(out, path.Join(dir, e.Name()))
		}
	}
	sort.Strings(out)
	if len(out) == 0 && !optional {
		return nil, msg("Include/IncludeOptional: No matches for the wildcard '" + part + "' in '" + dir + "', failing")
	}
	return out, nil
}

// tree is a file itself, or every entry below a folder in byte order, hidden ones too.
func tree(name string) []string {
	if !isDir(name) {
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
		out = append(out, tree(path.Join(name, n))...)
	}
	return out
}
