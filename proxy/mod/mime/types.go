package mime

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"strings"

	"balancerd/apacheconf"
	"balancerd/apacheconf/directive"
	"balancerd/proxy/exchange"
)

// defaultTypes is the file of media types where a configuration names none.
const defaultTypes = "/etc/mime.types"

// typesOf is the main server's TypesConfig, the only one that httpd reads. Without the default file
// the commonest types are known.
func typesOf(c *directive.Config) (map[string]string, error) {
	name := scopes.In(c.Main).types
	if name != "" {
		name = c.Tree.Path(name)
	}
	types, err := readTypes(c.Files, cmp.Or(name, defaultTypes))
	if name == "" && errors.Is(err, fs.ErrNotExist) {
		return commonTypes(), nil
	}
	if err != nil {
		return nil, errors.New(exchange.ErrnoText(err) + ": AH01597: could not open mime types config file " + cmp.Or(name, defaultTypes) + ".")
	}
	return types, nil
}

func commonTypes() map[string]string {
	return map[string]string{
		"html": "text/html", "htm": "text/html", "css": "text/css", "txt": "text/plain", "js": "text/javascript", "mjs": "text/javascript",
		"json": "application/json", "xml": "application/xml", "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg",
		"gif": "image/gif", "webp": "image/webp", "avif": "image/avif", "ico": "image/vnd.microsoft.icon", "pdf": "application/pdf",
		"woff": "font/woff", "woff2": "font/woff2", "mp4": "video/mp4", "webm": "video/webm", "mp3": "audio/mpeg", "wasm": "application/wasm",
		"gz": "application/gzip", "zip": "application/zip",
	}
}

// readTypes reads a file of media types: a type and the extensions that have it, a line each
// (httpd: mod_mime.c mime_post_config).
func readTypes(files directive.FileSystem, name string) (map[string]string, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	types := map[string]string{}
	in := bufio.NewScanner(bytes.NewReader(text))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		words := apacheconf.Words(line)
		for _, ext := range words[1:] {
			types[strings.ToLower(ext)] = words[0]
		}
	}
	return types, in.Err()
}
