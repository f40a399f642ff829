package graphqlhttp_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVariables_ValidValues_CoercedExactly(t *testing.T) {
	b := start(t, nil)
	for what, tc := range map[string]struct{ definition, use, variables, want string }{
		"a large ID": {"$v: ID", "id: $v", `{"v":9007199254740993}`, `"id":"9007199254740993"`},
		"a huge ID": {
			"$v: ID",
			"id: $v",
			`{"v":123456789012345678901234567890}`,
			`"id":"123456789012345678901234567890"`,
		},
		"an ID":                 {"$v: ID", "id: $v", `{"v":"a"}`, `"id":"a"`},
		"an Int":                {"$v: Int", "n: $v", `{"v":2147483647}`, `"n":2147483647`},
		"a whole Float as Int":  {"$v: Int", "n: $v", `{"v":5.0}`, `"n":5`},
		"an Int as Float":       {"$v: Float", "f: $v", `{"v":5}`, `"f":5`},
		"a Float":               {"$v: Float", "f: $v", `{"v":0.1}`, `"f":0.1`},
		"null":                  {"$v: Int", "n: $v", `{"v":null}`, `"n":null`},
		"a default":             {"$v: Int = 7", "n: $v", `{}`, `"n":7`},
		"one for a list":        {"$v: [Int!]", "list: $v", `{"v":5}`, `"list":[5]`},
		"a list":                {"$v: [Int!]", "list: $v", `{"v":[1,2]}`, `"list":[1,2]`},
		"an enum":               {"$v: Kind", "kind: $v", `{"v":"GREEN"}`, `"kind":"GREEN"`},
		"an input's default":    {"$v: EchoInput", "input: $v", `{"v":{"title":"a"}}`, `"kind":"RED"`},
		"undeclared is dropped": {"$v: Int", "n: $v", `{"v":1,"w":2}`, `"n":1`},
	} {
		t.Run(what, func(t *testing.T) {
			a := b.query(`query(`+tc.definition+`) { echo(`+tc.use+`) }`, tc.variables)
			require.Empty(t, a.code(), a.body)
			require.Contains(t, a.json["data"].(map[string]any)["echo"], tc.want)
		})
	}
}

func TestVariables_InvalidValues_ErrorNamesField(t *testing.T) {
	b := start(t, nil)
	for what, tc := range map[string]struct{ definition, variables, field string }{
		"a string as Int":        {"$v: Int", `{"v":"5"}`, "v"},
		"a fraction as Int":      {"$v: Int", `{"v":5.5}`, "v"},
		"an Int of 33 bits":      {"$v: Int", `{"v":2147483648}`, "v"},
		"a Boolean as Int":       {"$v: Int", `{"v":true}`, "v"},
		"a string as Float":      {"$v: Float", `{"v":"1"}`, "v"},
		"a Float out of range":   {"$v: Float", `{"v":1e999}`, "v"},
		"a number as String":     {"$v: String", `{"v":5}`, "v"},
		"a string as Boolean":    {"$v: Boolean", `{"v":"true"}`, "v"},
		"a fraction as ID":       {"$v: ID", `{"v":1.5}`, "v"},
		"missing":                {"$v: Int!", `{}`, "v"},
		"null for non-null":      {"$v: Int!", `{"v":null}`, "v"},
		"an unknown enum value":  {"$v: Kind", `{"v":"BLUE"}`, "v"},
		"an enum in lower case":  {"$v: Kind", `{"v":"red"}`, "v"},
		"an object for a scalar": {"$v: String", `{"v":{}}`, "v"},
		"a scalar for an object": {"$v: EchoInput", `{"v":1}`, "v"},
		"a field missing":        {"$v: EchoInput", `{"v":{}}`, "v.title"},
		"a field unknown":        {"$v: EchoInput", `{"v":{"title":"a","x":1}}`, "v.x"},
		"a field of wrong type":  {"$v: EchoInput", `{"v":{"title":1}}`, "v.title"},
		"nested":                 {"$v: EchoInput", `{"v":{"title":"a","inner":{"title":null}}}`, "v.inner.title"},
		"in a list":              {"$v: EchoInput", `{"v":{"title":"a","tags":["a",1]}}`, "v.tags.1"},
		"null in a list":         {"$v: [Int!]", `{"v":[1,null]}`, "v.1"},
	} {
		t.Run(what, func(t *testing.T) {
			a := b.query(`query(`+tc.definition+`) { echo(`+argument(tc.definition)+`: $v) }`, tc.variables)
			require.Equal(t, "BAD_USER_INPUT", a.code(), a.body)
			require.Equal(t, tc.field, a.extension("field"))
			require.NotContains(t, a.json, "data")
		})
	}
}

// argument is the argument of Query.echo that takes the variable's type.
func argument(definition string) string {
	return map[string]string{
		"$v: Int": "n", "$v: Int!": "n", "$v: Float": "f", "$v: String": "text", "$v: Boolean": "on",
		"$v: ID": "id", "$v: Kind": "kind", "$v: EchoInput": "input", "$v: [Int!]": "list",
	}[definition]
}
