package limits

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"
)

// Parse parses query within the limits of bytes and tokens. The number of tokens is a measure of the document's memory.
// The error is an *ExceededError or the parser's *gqlerror.Error.
func (l Limits) Parse(query string) (doc *ast.QueryDocument, tokens int, err error) {
	if v := exceeded("bytes", l.Bytes, len(query), "bytes"); v != nil {
		return nil, 0, v
	}
	tokens = countTokens(query)
	if v := exceeded("tokens", l.Tokens, tokens, "tokens"); v != nil {
		return nil, tokens, v
	}
	doc, err = parser.ParseQuery(&ast.Source{Input: query})
	return doc, tokens, err
}

// countTokens counts the tokens of query up to its first syntax error, which the parser will report.
func countTokens(query string) int {
	lex := lexer.New(&ast.Source{Input: query})
	for n := 0; ; n++ {
		token, err := lex.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			return n
		}
	}
}
