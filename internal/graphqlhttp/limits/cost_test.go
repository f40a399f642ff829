package limits_test

import (
	"strings"
	"testing"

	"errand/internal/graphqlhttp/limits"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Name: "test", Input: `
directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
type Query {
  one: String
  tasks(first: Int, last: Int): Tasks!
  paged(first: Int = 5): Tasks!
  messages: [Message!]!
  nodes(ids: [ID!]!): [Task]!
  plain(limit: Int): [Task!]!
  found(by: Filter, all: [Filter!], text: String): String
}
input Filter { search: String status: Int labels: [String!] }
type Tasks { edges: [Edge!]! nodes: [Task!]! total: Int! page: Page! }
type Page { next: Boolean }
type Edge { node: Task! }
type Task { id: ID! title: String sub(first: Int): Tasks! }
type Message { calls: [Call!]! text: String }
type Call { name: String }
`})

func estimate(t *testing.T, l limits.Limits, document string, variables map[string]any) (int, error) {
	t.Helper()
	doc, _, err := l.Parse(document)
	require.NoError(t, err)
	require.Empty(t, validator.ValidateWithRules(schema, doc, nil))
	return l.Estimate(doc.Operations[0], variables)
}

func TestEstimate_Documents_HaveCost(t *testing.T) {
	small := limits.Limits{
		ListSizes:  map[string]int{"Message.calls": 3},
		FieldCosts: map[string]int{"Query.one": 10, "Filter.search": 50},
	}
	for _, tc := range []struct {
		what      string
		document  string
		variables map[string]any
		cost      int
	}{
		{"an expensive field", `{one}`, nil, 10},
		{"an expensive input field", `{found(by:{search:"a" status:1})}`, nil, 51},
		{"by variable, one field", `query($s:String){found(by:{search:$s})}`, map[string]any{"s": "a"}, 51},
		{"by variable, the object", `query($f:Filter){found(by:$f)}`, map[string]any{"f": map[string]any{"search": "a"}}, 51},
		{
			"an input field that is null",
			`query($f:Filter){found(by:$f)}`,
			map[string]any{"f": map[string]any{"search": nil}},
			1,
		},
		{
			"the elements of a list, at each use",
			`query($l:[String!]){a:found(by:{labels:$l}) b:found(by:{labels:$l})}`,
			map[string]any{"l": []any{"a", "b", "c"}},
			2 * (1 + 3),
		},
		{"the elements of a literal list", `{found(by:{labels:["a" "b" "c"]})}`, nil, 1 + 3},
		{"the elements of a default value", `query($l:[String!]=["a" "b"]){found(by:{labels:$l})}`, nil, 1 + 2},
		{
			"objects in a list, with their fields and lists",
			`query($l:[String!]){found(all:[{status:1 labels:$l} {labels:["a"]}])}`,
			map[string]any{"l": []any{"a", "b"}},
			1 + 2 + 2 + 2 + 1 + 1,
		},
		{
			"objects in a list by variable",
			`query($f:[Filter!]){found(all:$f)}`,
			map[string]any{"f": []any{map[string]any{"status": 1, "labels": []any{"a", "b"}}}},
			1 + 1 + 2 + 2,
		},
		{
			"a long text, at each use",
			`query($t:String){a:found(text:$t) b:found(text:$t)}`,
			map[string]any{"t": strings.Repeat("a", 1024)},
			2 * (1 + 4),
		},
		{
			"a fragment's list, at each spread",
			`{...F ...F} fragment F on Query{found(by:{labels:["a" "b" "c"]})}`,
			nil,
			2 * (1 + 3),
		},
		{"introspection is free", `{__schema{types{name}}}`, nil, 0},
		{"a type name is a field", `{tasks(first:10){nodes{__typename}}}`, nil, 1 + 1 + 10*2},
		{"a page of edges: tasks, edges, and 10 of edge, node, id", `{tasks(first:10){edges{node{id}}}}`, nil, 1 + 1 + 10*3},
		{
			"fields beside the list are not multiplied",
			`{tasks(first:10){total page{next} nodes{id}}}`,
			nil,
			1 + 1 + 2 + 1 + 10*2,
		},
		{"last instead of first", `{tasks(last:7){nodes{id}}}`, nil, 1 + 1 + 7*2},
		{"the larger of both", `{tasks(first:3 last:7){nodes{id}}}`, nil, 1 + 1 + 7*2},
		{"by variable", `query($n:Int){tasks(first:$n){nodes{id}}}`, map[string]any{"n": int64(4)}, 1 + 1 + 4*2},
		{"by a variable that is not given: 20", `query($n:Int){tasks(first:$n){nodes{id}}}`, nil, 1 + 1 + 20*2},
		{"no size: 20", `{tasks{nodes{id}}}`, nil, 1 + 1 + 20*2},
		{"the schema's default", `{paged{nodes{id}}}`, nil, 1 + 1 + 5*2},
		{"at most PageSize", `{tasks(first:1000000){nodes{id}}}`, nil, 1 + 1 + 100*2},
		{"a negative size, which the resolver rejects", `{tasks(first:-5){nodes{id}}}`, nil, 1 + 1},
		{"lists within lists multiply", `{tasks(first:10){nodes{sub(first:5){nodes{id}}}}}`, nil, 1 + 1 + 10*(1+1+1+5*2)},
		{"the number of ids", `{nodes(ids:["a","b","c"]){id}}`, nil, 1 + 3 + 3*2},
		{"ids by variable", `query($i:[ID!]!){nodes(ids:$i){id}}`, map[string]any{"i": []any{"a", "b"}}, 1 + 2 + 2*2},
		{"a limit on a plain list", `{plain(limit:3){id}}`, nil, 1 + 3*2},
		{"a configured list size", `{messages{calls{name}}}`, nil, 1 + 20*(1+1+3*2)},
		{
			"fragments are counted at each spread",
			`{a:tasks(first:2){...T} b:tasks(first:3){...T}} fragment T on Tasks{nodes{id}}`,
			nil,
			(1 + 1 + 2*2) + (1 + 1 + 3*2),
		},
		{
			"a deferred fragment of each object",
			`{tasks(first:3){nodes{... @defer {id} ...T @defer(if:false)}}} fragment T on Task{title}`,
			nil,
			1 + 1 + 3*(1+15+1+1),
		},
		{
			"skipped fields cost nothing",
			`query($v:Boolean!){one @skip(if:true) ...@include(if:$v){one}}`,
			map[string]any{"v": false},
			0,
		},
		{
			"included fields are counted",
			`query($v:Boolean!){one @skip(if:false) ...@include(if:$v){a:one}}`,
			map[string]any{"v": true},
			20,
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			cost, err := estimate(t, small.Filled(), tc.document, tc.variables)
			require.NoError(t, err)
			require.Equal(t, tc.cost, cost)
		})
	}
}

func TestEstimate_OverLimit_ReturnsCostAndError(t *testing.T) {
	l := limits.Limits{Cost: 31}.Filled()
	cost, err := estimate(t, l, `{tasks(first:10){edges{node{id}}}}`, nil)
	require.Equal(t, 32, cost)
	requireExceeded(t, err, "cost", 31, 32)
}

func TestEstimate_HugePages_DoesNotOverflow(t *testing.T) {
	l := limits.Limits{PageSize: -1, Depth: 100, Cost: 1000}.Filled()
	_, err := estimate(
		t,
		l,
		`{tasks(first:2000000000){nodes{sub(first:2000000000){nodes{`+
			`sub(first:2000000000){nodes{sub(first:2000000000){nodes{id}}}}}}}}}`,
		nil,
	)
	var v *limits.ExceededError
	require.ErrorAs(t, err, &v)
	require.Positive(t, v.Actual)
}
