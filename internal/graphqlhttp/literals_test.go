package graphqlhttp_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLiterals_ValidValues_CoercedExactly(t *testing.T) {
	b := start(t, nil)
	for what, tc := range map[string]struct{ use, want string }{
		"an Int of 32 bits":          {`n: -2147483648`, `"n":-2147483648`},
		"an Int as Float":            {`f: 5`, `"f":5`},
		"an Int of 65 bits as Float": {`f: 18446744073709551616`, `"f":18446744073709552000`},
		"an Int as ID":               {`id: 5`, `"id":"5"`},
		"an Int of 65 bits as ID":    {`id: 18446744073709551616`, `"id":"18446744073709551616"`},
		"a block string":             {`text: """a"""`, `"text":"a"`},
		"a block string as ID":       {`id: """a"""`, `"id":"a"`},
		"one for a list":             {`list: 5`, `"list":[5]`},
		"null":                       {`kind: null`, `"kind":null`},
		"null in an input":           {`input: {title: "a", kind: null}`, `"kind":null`},
	} {
		t.Run(what, func(t *testing.T) {
			a := b.query(`{ echo(`+tc.use+`) }`, "")
			require.Empty(t, a.code(), a.body)
			require.Contains(t, a.json["data"].(map[string]any)["echo"], tc.want)
		})
	}
}

// wrongLiterals are literals of kinds that the argument of Query.echo does not take.
var wrongLiterals = map[string][]string{
	"text": {`{}`, `{a: 1}`, `[]`, `["a"]`, `1`, `1.5`, `true`, `RED`},
	"n":    {`{}`, `[]`, `[1]`, `"1"`, `1.0`, `true`, `RED`, `2147483648`, `-2147483649`, `99999999999999999999`},
	"f":    {`{}`, `[]`, `"1"`, `true`, `RED`, `1e999`},
	"id":   {`{}`, `[]`, `1.5`, `true`, `RED`},
	"kind": {`{}`, `[]`, `1`, `1.5`, `"RED"`, `true`, `BLUE`, `red`},
	"on":   {`{}`, `[]`, `1`, `"true"`, `TRUE`},
	"input": {
		`[]`,
		`1`,
		`"a"`,
		`true`,
		`RED`,
		`{}`,
		`{title: null}`,
		`{title: {}}`,
		`{title: "a", x: 1}`,
		`{title: "a", kind: {}}`,
	},
	"list": {`{}`, `[{}]`, `[[1]]`, `[null]`, `["1"]`, `[2147483648]`, `1.5`},
}

func TestLiterals_WrongKind_Rejected(t *testing.T) {
	b := start(t, nil)
	types := map[string]string{
		"text": "String", "n": "Int", "f": "Float", "id": "ID", "kind": "Kind", "on": "Boolean",
		"input": "EchoInput", "list": "[Int!]",
	}
	for name, literals := range wrongLiterals {
		for _, literal := range literals {
			for place, document := range map[string]string{
				"argument": `{ echo(` + name + `: ` + literal + `) }`,
				"default":  `query($v: ` + types[name] + ` = ` + literal + `) { echo(` + name + `: $v) }`,
				"fragment": `{ ...F } fragment F on Query { echo(` + name + `: ` + literal + `) }`,
			} {
				a := b.query(document, "")
				require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code(), "%s: %s: %s", place, document, a.body)
				require.Contains(t, a.body, `"locations"`)
				require.NotContains(t, a.json, "data")
			}
		}
	}
	require.Zero(t, b.root.Executed.Load())
	require.NotContains(t, b.logs.String(), "panic")
}

func TestLiterals_WrongDirectiveArgument_Rejected(t *testing.T) {
	b := start(t, nil)
	for _, literal := range []string{`{}`, `[]`, `null`, `1`, `"true"`, `RED`, `[true]`} {
		for _, directive := range []string{"skip", "include"} {
			a := b.query(`{ hello @`+directive+`(if: `+literal+`) }`, "")
			require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code(), a.body)
		}
		if literal != "null" {
			a := b.query(`{ ... @defer(if: `+literal+`) { hello } }`, "")
			require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code(), a.body)
		}
	}
	require.NotContains(t, b.logs.String(), "panic")
}

// Validation allows a nullable variable with a default value in a place that needs a value.
func TestVariables_NullWhereValueIsNeeded_Rejected(t *testing.T) {
	b := start(t, nil)
	for _, document := range []string{
		`query($b: Boolean = false) { hello @skip(if: $b) }`,
		`query($b: Boolean = true) { hello @include(if: $b) }`,
		`query($b: Boolean = true) { ... @include(if: $b) { hello } }`,
		`query($b: Boolean = true) { ...F @skip(if: $b) } fragment F on Query { hello }`,
		`query($b: Boolean = true) { ...F } fragment F on Query { hello @skip(if: $b) }`,
		`query($b: Int = 1) { big(n: $b) }`,
		`query($b: Int = 1) { echo(list: [1, $b]) }`,
		`query($b: String = "a") { echo(input: {title: $b}) }`,
		`query($b: String = "a") { echo(input: {title: "a", tags: [$b]}) }`,
	} {
		a := b.query(document, `{"b":null}`)
		require.Equal(t, "BAD_USER_INPUT", a.code(), "%s: %s", document, a.body)
		require.Equal(t, "b", a.extension("field"))
		require.Contains(t, a.message(), "$b")
		require.NotContains(t, a.json, "data")
		require.Empty(t, b.query(document, `{}`).code(), document)
	}
	require.Empty(t, b.query(`query($b: Int = 1) { hello ...@skip(if: true) { big(n: $b) } }`, `{"b":null}`).code())
	require.NotContains(t, b.logs.String(), "panic")
}

// Operations that share a fragment may give a variable different default values.
func TestVariables_FragmentOfTwoOperations_DefaultOfOwnOperation(t *testing.T) {
	b := start(t, nil)
	const document = `query A($v: Int) { ...F } query B($v: Int = 7) { ...F }` +
		` fragment F on Query { echo(input: {title: "a", n: $v}) }`
	for operation, want := range map[string]string{"A": `"n":null`, "B": `"n":7`} {
		a := b.post(`{"query":` + quote(document) + `,"operationName":"` + operation + `"}`)
		require.Empty(t, a.code(), a.body)
		require.Contains(t, a.json["data"].(map[string]any)["echo"], want, operation)
	}
}

func TestLiterals_SuggestionsDisabled_NamesNotListed(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.Introspection, o.Suggestions = false, false })
	for _, document := range []string{
		`{ echo(kind: REDD) }`, `{ echo(kind: "RED") }`, `{ echo(input: {titel: "a", title: "a"}) }`, `{ echo(texd: "a") }`,
		`{ helo }`, `{ ...F } fragment F on Quer { hello }`, `query($v: Kint) { echo(kind: $v) }`, `{ hello @skp(if: true) }`,
	} {
		a := b.query(document, "")
		require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code(), a.body)
		require.NotContains(t, a.body, "Did you mean")
	}
}

func TestSubscription_RootFields_ExactlyOne(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	for _, document := range []string{
		`subscription { a: count(to: 1) b: count(to: 1) }`,
		`subscription { ...F count(to: 1) } fragment F on Subscription { a: count(to: 1) }`,
		`subscription { __typename }`,
		`subscription { count(to: 1) @skip(if: true) }`,
		`subscription($b: Boolean = true) { count(to: 1) @skip(if: $b) }`,
		`subscription($b: Boolean = true) { ...F @skip(if: $b) } fragment F on Subscription { count(to: 1) }`,
	} {
		c.write(`{"type":"subscribe","id":"1","payload":{"query":` + quote(document) + `}}`)
		m := c.read()
		require.Equal(t, "error", m.Type, document)
		require.Regexp(t, "GRAPHQL_VALIDATION_FAILED|BAD_USER_INPUT", string(m.Payload), document)
	}
	c.write(`{"type":"subscribe","id":"1","payload":{"query":"subscription { count(to: 1) ...F } ` +
		`fragment F on Subscription { count(to: 1) b: count(to: 1) @skip(if: true) }"}}`)
	require.Equal(t, "next", c.read().Type)
}

func TestDocument_SurrogateWithoutPair_NotParsed(t *testing.T) {
	b := start(t, nil)
	a := b.post(`{"query":"{ echo(text: \"a\ud83d\") }"}`)
	require.Equal(t, "GRAPHQL_PARSE_FAILED", a.code(), a.body)
	for _, text := range []string{`\ud83d\ude00`, `\ufffd`, `\uFFFD`, "\ufffd"} {
		require.Empty(t, b.post(`{"query":"{ echo(text: \"`+text+`\") }"}`).code(), text)
	}
}
