package limits

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"
)

// Parse parses query within the limits of bytes and tokens. The number of tokens is a measure of the document's memory.
// The error is an *ExceededError or the parser's *gqlerror.Error.
func (l Limits) Parse(query string) (doc *ast.QueryDocument, tokens int, err error) {
	if v := exceeded("bytes", l.Bytes, len(query), "bytes"); v != nil {
		return nil, 0, v
	}
	tokens, err = countTokens(query)
	if v := exceeded("tokens", l.Tokens, tokens, "tokens"); v != nil {
		return nil, tokens, v
	}
	if err != nil {
		return nil, tokens, err
	}
	doc, err = parser.ParseQuery(&ast.Source{Input: query})
	return doc, tokens, err
}

// countTokens counts the tokens of query up to its first syntax error. The error is one that the parser accepts; others
// it will report.
func countTokens(query string) (int, error) {
	lex := lexer.New(&ast.Source{Input: query})
	var previous lexer.Token
	for n := 0; ; n++ {
		token, err := lex.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			return n, nil //nolint:nilerr // the parser reports it
		}
		if message := lexicalError(query, previous, token); message != "" {
			return n, gqlerror.ErrorLocf("", token.Pos.Line, token.Pos.Column, "%s", message)
		}
		previous = token
	}
}

// lexicalError returns what is wrong with a token that the lexer accepts, or "": a number with a name directly after
// it, a surrogate without its pair, and a block string with more than three quotes at its end (specification, section
// 2.9).
func lexicalError(query string, previous, token lexer.Token) string {
	switch token.Kind {
	case lexer.Name:
		number := previous.Kind == lexer.Int || previous.Kind == lexer.Float
		if number && previous.Pos.End == token.Pos.Start {
			return "Invalid number, expected digit but got: " + strconv.Quote(token.Value[:1]) + "."
		}
	case lexer.String:
		if strings.ContainsRune(token.Value, utf8.RuneError) && surrogateEscape.MatchString(written(query, token)) {
			return "Invalid Unicode escape sequence."
		}
	case lexer.BlockString:
		if strings.HasSuffix(token.Value, `"`) && strings.HasPrefix(after(query, token), `"`) {
			return "Unterminated string."
		}
	}
	return ""
}

// surrogateEscape matches the escape sequence of a surrogate, or of U+D800 to U+DFFF by another spelling.
var surrogateEscape = regexp.MustCompile(`(?i)\\u[d][89a-f]`)

// written returns the text of a token, whose position is in characters.
func written(query string, token lexer.Token) string {
	characters := []rune(query)
	return string(characters[token.Pos.Start:min(token.Pos.End, len(characters))])
}

// after returns the text that follows a token.
func after(query string, token lexer.Token) string {
	characters := []rune(query)
	return string(characters[min(token.Pos.End, len(characters)):])
}
