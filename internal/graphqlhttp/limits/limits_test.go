package limits_test

import (
	"fmt"
	"strings"
	"testing"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/limits"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// check parses a document and checks its limits.
func check(l limits.Limits, document string) error {
	doc, _, err := l.Parse(document)
	if err != nil {
		return err
	}
	_, err = l.Check(doc)
	return err
}

// requireExceeded checks the error that names the limit, its value and the actual count.
func requireExceeded(t *testing.T, err error, limit string, maximum, actual int) {
	t.Helper()
	var v *limits.ExceededError
	require.ErrorAs(t, err, &v)
	require.Equal(t, limit, v.Limit)
	require.Equal(t, maximum, v.Max)
	require.Equal(t, actual, v.Actual)
	for _, part := range []string{limit, fmt.Sprint(maximum), fmt.Sprint(actual)} {
		require.Contains(t, v.Error(), part)
	}
	require.Equal(t, apperr.ComplexityLimit, apperr.CodeOf(err))
	require.Equal(t, map[string]any{"limit": limit, "max": maximum, "actual": actual}, v.Extensions())
}

func TestCheck_AtAndOverEachLimit_OnlyOverRejected(t *testing.T) {
	for _, tc := range []struct {
		limit   string
		limits  limits.Limits
		maximum int
		fits    string
		breaks  string
		actual  int
	}{
		{"bytes", limits.Limits{Bytes: 5}, 5, `{a b}`, `{a bc}`, 6},
		{"tokens", limits.Limits{Tokens: 4}, 4, `{a b}`, `{a b c}`, 5},
		{"operations", limits.Limits{Operations: 1}, 1, `query A{a}`, `query A{a} query B{a}`, 2},
		{
			"fragments",
			limits.Limits{Fragments: 1},
			1,
			`{...A} fragment A on Q{a}`,
			`{...A ...B} fragment A on Q{a} fragment B on Q{a}`,
			2,
		},
		{"spreads", limits.Limits{Spreads: 2}, 2, `{...A ...A} fragment A on Q{a}`, `{...A ...A ...A} fragment A on Q{a}`, 3},
		{"variables", limits.Limits{Variables: 1}, 1, `query($a:Int){a}`, `query($a:Int $b:Int){a}`, 2},
		{"depth", limits.Limits{Depth: 2}, 2, `{a{...B}} fragment B on Q{b}`, `{a{...B}} fragment B on Q{b{c}}`, 3},
		{
			"fields",
			limits.Limits{Fields: 5},
			5,
			`{a{...B} c{...B}} fragment B on Q{x}`,
			`{a{...B} c{...B}} fragment B on Q{x y}`,
			6,
		},
		{
			"aliases",
			limits.Limits{Aliases: 2},
			2,
			`{x:a ...B} fragment B on Q{y:a}`,
			`{x:a ...B} fragment B on Q{y:a z:a}`,
			3,
		},
		{
			"directives",
			limits.Limits{Directives: 3},
			3,
			`query @d {a @d ... @d {b}}`,
			`query($v:Int @d) @d {a @d ... @d {b}}`,
			4,
		},
		{
			"rootFields",
			limits.Limits{RootFields: 2},
			2,
			`{a ...B} fragment B on Q{b{c d}}`,
			`{a ...B} fragment B on Q{b c}`,
			3,
		},
		{
			"introspection",
			limits.Limits{Introspection: 3},
			3,
			`{__schema{a} __type(name:"A")}`,
			`{__schema{a} __type(name:"A"){...F}} fragment F on __Type{b}`,
			4,
		},
		{"pairs", limits.Limits{Pairs: 3}, 3, `{a a a}`, `{a a a ...B} fragment B on Q{a}`, 6},
		{"inputDepth", limits.Limits{InputDepth: 2}, 2, `{a(x:[{y:1}])}`, `{a(x:[{y:[1]}])}`, 3},
		{"inputList", limits.Limits{InputList: 2}, 2, `{a(x:[{y:[1 2]} 3])}`, `{a(x:[{y:[1 2 3]}])}`, 3},
		{"inputList", limits.Limits{InputList: 2}, 2, `query($v:[Int]=[1 2]){a}`, `query($v:[Int]=[1 2 3]){a}`, 3},
	} {
		t.Run(tc.limit, func(t *testing.T) {
			l := tc.limits.Filled()
			require.NoError(t, check(l, tc.fits))
			requireExceeded(t, check(l, tc.breaks), tc.limit, tc.maximum, tc.actual)
		})
	}
}

func TestCheck_FieldsThatMerge_PairsCounted(t *testing.T) {
	l := limits.Limits{Pairs: 1}.Filled()
	// The two fields a are a pair; the fields b within them are another, since their selection sets merge.
	requireExceeded(t, check(l, `{a{b} a{b}}`), "pairs", 1, 2)
	require.NoError(t, check(l, `{a{b} c{b}}`), "the fields b are in different selection sets")
}

func TestCheck_NegativeLimit_Disabled(t *testing.T) {
	l := limits.Limits{Tokens: -1, Fields: -1, RootFields: -1, Pairs: -1}.Filled()
	require.NoError(t, check(l, "{"+strings.Repeat("a ", 6000)+"}"))
}

func TestCheck_CyclicOrUnknownFragments_AcceptedForValidation(t *testing.T) {
	l := limits.Default()
	require.NoError(t, check(l, `{...A} fragment A on Q{a{...B}} fragment B on Q{b{...A}}`))
	require.NoError(t, check(l, `{...Nowhere}`))
}

func TestCheck_UnusedFragments_Counted(t *testing.T) {
	l := limits.Limits{Fields: 2}.Filled()
	requireExceeded(t, check(l, `{a} fragment A on Q{a b}`), "fields", 2, 3)
}

func TestCheck_ExponentialFragments_CountedWithoutExpansion(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(`{x{...F0}}`)
	for i := range 60 {
		fmt.Fprintf(&doc, ` fragment F%d on Q{a:x{...F%d} b:x{...F%d}}`, i, i+1, i+1)
	}
	doc.WriteString(` fragment F60 on Q{x}`)
	err := check(limits.Limits{Depth: -1}.Filled(), doc.String())
	var v *limits.ExceededError
	require.ErrorAs(t, err, &v)
	require.Equal(t, "fields", v.Limit)
	require.Greater(t, v.Actual, 1<<39)
}

func TestParse_SyntaxError_ReturnsParserError(t *testing.T) {
	_, _, err := limits.Default().Parse(`{`)
	var syntaxErr *gqlerror.Error
	require.ErrorAs(t, err, &syntaxErr)
	exceeded := new(limits.ExceededError)
	require.NotErrorAs(t, err, &exceeded)
}

func TestCheckInput_TooDeep_Rejected(t *testing.T) {
	l := limits.Limits{InputDepth: 2}.Filled()
	require.NoError(t, l.CheckInput(map[string]any{"a": []any{map[string]any{"b": 1}}}))
	requireExceeded(t, l.CheckInput(map[string]any{"a": []any{[]any{[]any{}}}}), "inputDepth", 2, 3)
}

func TestCheckInput_LongList_Rejected(t *testing.T) {
	l := limits.Limits{InputList: 2}.Filled()
	require.NoError(t, l.CheckInput(map[string]any{"a": []any{1, 2}, "b": []any{1, 2}, "c": map[string]any{}}))
	requireExceeded(t, l.CheckInput(map[string]any{"a": map[string]any{"b": []any{1, 2, 3}}}), "inputList", 2, 3)
}

func TestFilled_Zero_IsDefault(t *testing.T) {
	require.Equal(t, limits.Default(), limits.Limits{}.Filled())
}
