package limits_test

import (
	"testing"

	"errand/internal/graphqlhttp/limits"

	"github.com/stretchr/testify/require"
)

// The parser accepts each of the rejected documents.
func TestParse_LexicalFault_ErrorAtToken(t *testing.T) {
	l := limits.Default()
	for _, document := range []string{
		`{ a(b: 0x) }`,
		`{ a(b: 1e5f) }`,
		`{ a(b: [1 2st 3]) }`,
		`{ a(b: "\uD800") }`,
		`{ a(b: "é\uDE00\uD83D") }`,
		`{ a(b: """block"""") }`,
		`{ a(b: """x\"""""""") }`,
		`{ a(b: "é" c: """d"""") }`,
		`{ a(b: "\udbff\ud800\t") }`,
	} {
		_, _, err := l.Parse(document)
		require.Error(t, err, document)
		require.Contains(t, err.Error(), "input:1:", document)
	}
	for _, document := range []string{
		`{ a(b: 0 x: 1) }`, `{ a(b: 1,c: 2) }`, `{ a(b: [1 2 3]) }`, `{ a(b: "\uD83D\uDE00") }`, "{ a(b: \"\ufffd\") }",
		`{ a(b: "\uFFFD") }`, `{ a(b: """block\"""""") }`, `{ a(b: """""") }`,
		`{ a(b: """"a""") }`, `{ a(b: """\"""""" c: "") }`,
	} {
		_, _, err := l.Parse(document)
		require.NoError(t, err, document)
	}
}
