package exec

import (
	"encoding/json"
	"testing"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/limits"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// inputs has the kinds of input that the fixture of package graphqlhttp does not have.
var inputs = &documentStore{limits: limits.Default(), schema: gqlparser.MustLoadSchema(&ast.Source{Input: `
	scalar Any
	enum Color { RED }
	input By @oneOf { id: ID color: Color }
	input Options { color: Color! = RED size: Int! = 1 }
	type Query { a(by: By, any: Any, color: Color! = RED, options: Options, matrix: [[Int!]!]): Int }
`})}

// prepare parses a document and coerces the variables of its only operation.
func prepare(t *testing.T, document, variables string) (map[string]any, *RequestError) {
	t.Helper()
	doc, err := inputs.parse(document)
	if err != nil {
		return nil, err
	}
	given, err := Decoder{VariableValues: 1000}.decodeMap("variables", json.RawMessage(variables))
	require.Nil(t, err)
	values, err := coerceVariables(inputs.schema, doc.single.Operations[0], given)
	if err == nil {
		err = checkNullVariables(doc.single.Operations[0], values)
	}
	return values, err
}

func TestPrepare_Input_AcceptedOrRejected(t *testing.T) {
	for _, tc := range []struct {
		document, variables string
		code                apperr.Code
	}{
		{`{ a(by: {id: 1}) }`, `{}`, ""},
		{`{ a(by: {}) }`, `{}`, apperr.GraphQLValidateFailed},
		{`{ a(by: {id: null}) }`, `{}`, apperr.GraphQLValidateFailed},
		{`{ a(by: {id: 1, color: RED}) }`, `{}`, apperr.GraphQLValidateFailed},
		{`query($i: ID) { a(by: {id: $i}) }`, `{"i":"1"}`, apperr.GraphQLValidateFailed},
		{`query($i: ID!) { a(by: {id: $i}) }`, `{"i":"1"}`, ""},
		{`query($b: By) { a(by: $b) }`, `{"b":{"id":1}}`, ""},
		{`query($b: By) { a(by: $b) }`, `{"b":{}}`, apperr.BadUserInput},
		{`query($b: By) { a(by: $b) }`, `{"b":{"id":null}}`, apperr.BadUserInput},
		{`query($b: By) { a(by: $b) }`, `{"b":{"id":1,"color":null}}`, apperr.BadUserInput},

		{`{ a(any: {x: [1, "a", {y: RED}]}) }`, `{}`, ""},
		{`{ a(any: [99999999999999999999]) }`, `{}`, ""},
		{`{ a(any: {x: [1e999]}) }`, `{}`, apperr.GraphQLValidateFailed},
		{`query($v: Int) { a(any: {x: [$v]}) }`, `{"v":null}`, ""},

		{`query($c: Color) { a(color: $c) }`, `{}`, ""},
		{`query($c: Color) { a(color: $c) }`, `{"c":null}`, apperr.BadUserInput},
		{`query($c: Color) { a(options: {color: $c}) }`, `{}`, ""},
		{`query($c: Color) { a(options: {color: $c}) }`, `{"c":null}`, apperr.BadUserInput},
		{`query($c: Color = null) { a(options: {color: $c}) }`, `{}`, apperr.BadUserInput},
		{`query($o: Options) { a(options: $o) }`, `{"o":{"size":null}}`, apperr.BadUserInput},
		{`{ a(color: null) }`, `{}`, apperr.GraphQLValidateFailed},

		{`{ a(matrix: [[1], 2]) }`, `{}`, ""},
		{`{ a(matrix: 1) }`, `{}`, ""},
		{`{ a(matrix: [[{}]]) }`, `{}`, apperr.GraphQLValidateFailed},
		{`query($m: [[Int!]!] = 1) { a(matrix: $m) }`, `{}`, ""},
		{`query($m: [[Int!]!]) { a(matrix: $m) }`, `{"m":[[1],2]}`, ""},
		{`query($m: [[Int!]!]) { a(matrix: $m) }`, `{"m":[[null]]}`, apperr.BadUserInput},
		{`query($m: [[Int!]!] = [[{}]]) { a(matrix: $m) }`, `{}`, apperr.GraphQLValidateFailed},
	} {
		_, err := prepare(t, tc.document, tc.variables)
		code := apperr.Code("")
		if err != nil {
			code = err.Code()
		}
		require.Equal(t, tc.code, code, "%s %s: %v", tc.document, tc.variables, err)
	}
}

func TestPrepare_DefaultValues_HaveExecutorForm(t *testing.T) {
	values, err := prepare(t, `query($i: ID = 5, $f: Float = 18446744073709551616, $n: Int = 7, $m: [[Int!]!] = 1,
		$o: Options = {size: 2}, $z: Int = null, $none: Int) {
		a(by: {id: 1}, any: [$i, $f, $n, $z, $none], matrix: $m, options: $o)
	}`, `{}`)
	require.Nil(t, err)
	require.Equal(t, map[string]any{
		"i": "5",
		"f": float64(1 << 64),
		"n": int64(7),
		"m": []any{[]any{int64(1)}},
		"o": map[string]any{"size": int64(2)},
		"z": nil,
	}, values)
}
