package upstream

import "balancerd/apacheconf/pattern"

// Line is one ProxyPass or ProxyPassMatch: a path or pattern, and the URL for what it covers. Immutable
// once the configuration is read.
type Line struct {
	Path    string           // the path, or the text of the pattern
	Pattern *pattern.Pattern // nil: Path is a prefix
	URL     string           // without its unix socket; "!" for a path that is not proxied
	Flags   Flags
	File    string // where it stands
	Number  int    // the line in the file
}

// Flags are the words behind a ProxyPass URL.
type Flags uint8

const (
	NoCanon     Flags = 1 << iota // pass the path as it came
	Interpolate                   // ${VAR} from the environment
	NoQuery                       // for FastCGI only
	MapEncoded                    // match before decoding
	MapServlet                    // and without path parameters
)

// Rewrite is one line of ProxyPassReverse or its cookie forms: what stands in the member's response, and
// what takes its place.
type Rewrite struct {
	From, To    string
	Interpolate bool
}
