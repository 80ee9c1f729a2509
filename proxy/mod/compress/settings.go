package compress

import (
	"errors"
	"strings"

	"balancerd/apacheconf/directive"
)

// settings are what a server says of a coder. Those of a virtual host replace the main server's as a whole, as in
// httpd, which merges none.
type settings struct {
	level  directive.Opt[int] // DeflateCompressionLevel, BrotliCompressionQuality
	window directive.Opt[int] // DeflateWindowSize, BrotliCompressionWindow
	buffer directive.Opt[int] // DeflateBufferSize
	tag    tagRule
	notes  notes
}

// notes are the names of the notes that are left for the log; "" for none.
type notes struct {
	ratio, input, output string
	always               bool // input and output are told when they are 0, too
}

// tagRule says what becomes of the entity tag of an answer that is coded.
type tagRule uint8

const (
	addSuffix tagRule = iota
	keepTag
	removeTag
)

func innermost(_, inner settings) settings { return inner }

var (
	deflated = directive.NewKey("deflate", innermost)
	brotlied = directive.NewKey("brotli", innermost)
	inflated = directive.NewKey("inflate", func(_, inner bounds) bounds { return inner })
)

// bounds are what a place says of what is unpacked. They replace those around it as a whole, too.
type bounds struct {
	body  int64 // DeflateInflateLimitRequestBody; 0: LimitRequestBody
	ratio directive.Opt[int]
	burst directive.Opt[int]
}

// httpd's defaults (mod_deflate.c, mod_brotli.c).
const (
	defaultBuffer  = 8096
	defaultRatio   = 200
	defaultBurst   = 3
	defaultQuality = 5
	defaultWindow  = 18
)

// number sets a number within bounds, as C's atoi reads it.
func number(a directive.Args, lo, hi int, message string, to *directive.Opt[int]) error {
	long, _, _ := directive.Leading(a.Words[0])
	n := int(int32(long)) // as C's int is cut
	if n < lo || n > hi {
		return errors.New(message)
	}
	to.Set(n)
	return nil
}

const most = 1<<31 - 1

func setLevel(s *directive.Scope, a directive.Args) error {
	return number(a, 1, 9, "Compression Level must be between 1 and 9", &deflated.In(s).level)
}

func setWindow(s *directive.Scope, a directive.Args) error {
	return number(a, 1, 15, "DeflateWindowSize must be between 1 and 15", &deflated.In(s).window)
}

// checkMemLevel is about zlib's memory. It is a setting of the server all the same, which replaces those of others.
func checkMemLevel(s *directive.Scope, a directive.Args) error {
	deflated.In(s)
	return number(a, 1, 9, "DeflateMemLevel must be between 1 and 9", new(directive.Opt[int]))
}

func setBufferSize(s *directive.Scope, a directive.Args) error {
	return number(a, 1, most, "DeflateBufferSize should be positive", &deflated.In(s).buffer)
}

func setQuality(s *directive.Scope, a directive.Args) error {
	return number(a, 0, 11, "BrotliCompressionQuality must be between 0 and 11", &brotlied.In(s).level)
}

func setBrotliWindow(s *directive.Scope, a directive.Args) error {
	return number(a, 10, 24, "BrotliCompressionWindow must be between 10 and 24", &brotlied.In(s).window)
}

// checkBlock is about blocks, which the coder chooses. It is a setting of the server as checkMemLevel's is.
func checkBlock(s *directive.Scope, a directive.Args) error {
	brotlied.In(s)
	return number(a, 16, 24, "BrotliCompressionMaxInputBlock must be between 16 and 24", new(directive.Opt[int]))
}

// setNote is DeflateFilterNote and BrotliFilterNote.
func setNote(key *directive.Key[settings], unknown string) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		n, w := &key.In(s).notes, a.Words
		if len(w) == 1 {
			n.ratio = w[0]
			return nil
		}
		switch strings.ToLower(w[0]) {
		case "ratio":
			n.ratio = w[1]
		case "input":
			n.input = w[1]
		case "output":
			n.output = w[1]
		default:
			return errors.New(strings.Replace(unknown, "%s", w[0], 1))
		}
		return nil
	}
}

// setTag is DeflateAlterEtag and BrotliAlterETag.
func setTag(key *directive.Key[settings], message string) func(*directive.Scope, directive.Args) error {
	return func(s *directive.Scope, a directive.Args) error {
		rule, ok := map[string]tagRule{"addsuffix": addSuffix, "nochange": keepTag, "remove": removeTag}[strings.ToLower(a.Words[0])]
		if !ok {
			return errors.New(message)
		}
		key.In(s).tag = rule
		return nil
	}
}

func setLimit(s *directive.Scope, a directive.Args) error {
	n, rest, err := directive.Leading(a.Words[0])
	switch {
	case err != nil:
		return errors.New("DeflateInflateLimitRequestBody is not parsable.")
	case rest != "" || n < 0:
		return errors.New("DeflateInflateLimitRequestBody requires a non-negative integer.")
	}
	inflated.In(s).body = n
	return nil
}

func setRatio(s *directive.Scope, a directive.Args) error {
	return number(a, 1, most, "DeflateInflateRatioLimit must be positive", &inflated.In(s).ratio)
}

func setBurst(s *directive.Scope, a directive.Args) error {
	return number(a, 1, most, "DeflateInflateRatioBurst must be positive", &inflated.In(s).burst)
}
