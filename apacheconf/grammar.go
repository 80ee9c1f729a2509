package apacheconf

import (
	"io"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The grammar of a file, as far as it is one: httpd's syntax is a list of logical lines, and whether
// a section may open or close depends on conditions, inclusions and macros that only the reading
// decides (httpd: config.c ap_build_config). So the grammar tells the lines apart and the reader
// nests them.
type fileAST struct {
	Items []itemAST `parser:"@@*"`
}

// itemAST is one logical line. Its production is written by hand: of a choice that participle makes itself,
// a large file's reading would take most of its time.
type itemAST struct {
	line int // its index in the list of lines
	kind itemKind
}

// Parse is participle's Parseable: one token of the four kinds.
func (it *itemAST) Parse(lex *lexer.PeekingLexer) error {
	t := lex.Peek()
	kind, ok := kinds[t.Type]
	if !ok {
		return participle.NextMatch
	}
	*it = itemAST{line: t.Pos.Offset, kind: kind}
	lex.Next()
	return nil
}

// The kinds of token: one a logical line.
const (
	tokComment lexer.TokenType = lexer.EOF - 1 - iota
	tokClose
	tokOpen
	tokLine
)

var kinds = map[lexer.TokenType]itemKind{tokComment: comments, tokClose: closes, tokOpen: opens, tokLine: says}

// lineLexer makes tokens of logical lines. It is written by hand: participle's own stateful lexer
// takes three times as long on a large file.
type lineLexer struct{}

func (lineLexer) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{"EOF": lexer.EOF, "Comment": tokComment, "Close": tokClose, "Open": tokOpen, "Line": tokLine}
}

func (lineLexer) Lex(name string, r io.Reader) (lexer.Lexer, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return &lineTokens{name: name, lines: splitLines(string(b), maxLine)}, nil
}

type lineTokens struct {
	name  string
	lines []logicalLine
	next  int
	first int // where lines[0] stands in the whole list
}

// Next is the next logical line. Its position's Offset is its index in the list of lines.
func (t *lineTokens) Next() (lexer.Token, error) {
	if t.next >= len(t.lines) {
		return lexer.EOFToken(lexer.Position{Filename: t.name, Line: t.next + 1}), nil
	}
	l := &t.lines[t.next]
	pos := lexer.Position{Filename: t.name, Offset: t.first + t.next, Line: l.last}
	t.next++
	return lexer.Token{Type: kindOf(l.text), Value: l.text, Pos: pos}, nil
}

func kindOf(text string) lexer.TokenType {
	switch {
	case text == "" || text[0] == '#':
		return tokComment
	case strings.HasPrefix(text, "</"):
		return tokClose
	case text[0] == '<':
		return tokOpen
	}
	return tokLine
}

var fileParser = participle.MustBuild[fileAST](participle.Lexer(lineLexer{}), participle.UseLookahead(1))

// portion is how many lines the parser is given at a time: it repeats nothing more than a million times.
const portion = 500_000

// parseLines gives the logical lines of a text, told apart by the grammar. Longer ones than longest are marked.
func parseLines(name, text string, longest int) ([]item, error) {
	lines := splitLines(text, longest)
	out := make([]item, 0, len(lines))
	for first := 0; first < len(lines); first += portion {
		lex, err := lexer.Upgrade(&lineTokens{name: name, lines: lines[first:min(first+portion, len(lines))], first: first})
		if err != nil {
			return nil, err
		}
		tree, err := fileParser.ParseFromLexer(lex)
		if err != nil {
			return nil, err
		}
		for _, it := range tree.Items {
			out = append(out, item{line: &lines[it.line], kind: it.kind})
		}
	}
	return out, nil
}
