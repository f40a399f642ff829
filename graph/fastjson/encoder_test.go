package fastjson_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"errand/graph/fastjson"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"
)

func TestString_AnyBytes_DecodesAsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "text") {
			s = rapid.String().Draw(t, "text")
		}
		var b bytes.Buffer
		fastjson.String(&b, s)
		var got, want string
		require.NoError(t, json.Unmarshal(b.Bytes(), &got))
		encoded, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(encoded, &want))
		require.Equal(t, want, got)
	})
}

type person struct {
	name    string
	parent  *person
	friends []*person
	born    *time.Time
}

// writerOf returns the field writers of person. The field "slow" has none.
func writerOf(op *graphql.OperationContext) func(f graphql.CollectedField) fastjson.FieldWriter[*person] {
	return func(f graphql.CollectedField) fastjson.FieldWriter[*person] {
		switch f.Name {
		case "name":
			return func(b *bytes.Buffer, p *person) bool { fastjson.String(b, p.name); return true }
		case "born":
			return func(b *bytes.Buffer, p *person) bool { return p.born != nil || fastjson.Null(b, false) }
		case "mother":
			return fastjson.Object(op, f.Selections, nil, writerOf(op), true, func(p *person) *person { return p.parent })
		case "father":
			return fastjson.Object(op, f.Selections, nil, writerOf(op), false, func(p *person) *person { return p.parent })
		case "friends":
			return fastjson.List(op, f.Selections, nil, writerOf(op), func(p *person) []*person { return p.friends })
		default:
			return nil
		}
	}
}

func field(name, alias string, children ...ast.Selection) *ast.Field {
	return &ast.Field{Name: name, Alias: alias, SelectionSet: children}
}

// marshal returns the JSON that Marshal writes, and false if it leaves p to gqlgen.
func marshal(p *person, selection ...ast.Selection) (string, bool) {
	op := &graphql.OperationContext{}
	m := fastjson.Marshal(op, selection, nil, writerOf(op), p)
	if m == nil {
		return "", false
	}
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String(), true
}

func TestMarshal_WritableSelection_WritesFieldsUnderAliases(t *testing.T) {
	ann := &person{name: "Ann"}
	ben := &person{name: `Be"n`, parent: ann, friends: []*person{ann, ann}}
	got, ok := marshal(ben, field("name", "first"), field("born", "born"), field("father", "dad", field("name", "name")),
		field("friends", "friends", field("name", "n")))
	require.True(t, ok)
	want := `{"first":"Be\"n","born":null,"dad":{"name":"Ann"},"friends":[{"n":"Ann"},{"n":"Ann"}]}`
	require.Equal(t, want, got) // not JSONEq: the order of the members matters
	got, ok = marshal(
		ann,
		field("father", "father", field("name", "name")),
		field("friends", "friends", field("name", "n")),
	)
	require.True(t, ok)
	require.JSONEq(t, `{"father":null,"friends":[]}`, got)
}

func TestMarshal_UnwritableSelection_ReturnsNil(t *testing.T) {
	ann := &person{name: "Ann"}
	for name, selection := range map[string]ast.Selection{
		"a field without a writer":   field("slow", "slow"),
		"such a field in an object":  field("father", "father", field("slow", "slow")),
		"such a field in a list":     field("friends", "friends", field("slow", "slow")),
		"a null in a non-null field": field("mother", "mother", field("name", "name")),
		"a deferred fragment": &ast.InlineFragment{
			SelectionSet: ast.SelectionSet{field("name", "name")},
			Directives:   ast.DirectiveList{{Name: "defer"}},
		},
	} {
		_, ok := marshal(ann, field("name", "name2"), selection)
		require.False(t, ok, name)
	}
	_, ok := marshal(nil, field("name", "name"))
	require.False(t, ok, "a nil object")
}

func TestNewBuffer_AfterMarshal_HoldsDataWithoutGrowing(t *testing.T) {
	op := &graphql.OperationContext{}
	fastjson.NewBudget(1 << 20).Attach(op)
	ben := &person{name: strings.Repeat("b", 100_000)}
	marshaled := fastjson.Marshal(op, ast.SelectionSet{field("name", "name")}, nil, writerOf(op), ben)
	require.NotNil(t, marshaled)
	buf := fastjson.NewBuffer(op)
	size := buf.Cap()
	require.InDelta(t, 100_000, size, 30_000)
	marshaled.MarshalGQL(buf)
	require.Equal(t, size, buf.Cap())
	require.Less(t, fastjson.NewBuffer(op).Cap(), 10_000, "the same bytes are not counted again")
}

func TestReuseMemory_ManyParts_KeepTheirBytes(t *testing.T) {
	op := &graphql.OperationContext{}
	budget := fastjson.NewBudget(1 << 20)
	budget.Attach(op)
	names := make([]string, 40)
	for i := range names {
		names[i] = strings.Repeat(string(rune('a'+i)), 5_000) // more than fit the memory
	}
	write := func() {
		release := budget.ReuseMemory()
		defer release()
		budget.Reset()
		parts := make([]graphql.Marshaler, len(names))
		for i, name := range names {
			selection := ast.SelectionSet{field("name", "name")}
			parts[i] = fastjson.Marshal(op, selection, nil, writerOf(op), &person{name: name})
		}
		buf := fastjson.NewBuffer(op)
		for i, name := range names {
			before := buf.Len()
			parts[i].MarshalGQL(buf)
			require.JSONEq(t, `{"name":"`+name+`"}`, buf.String()[before:])
		}
	}
	write()
	write() // with the memory of the first
}

func TestMarshal_ObjectsOfList_ShareEncoder(t *testing.T) {
	op := &graphql.OperationContext{}
	fastjson.NewBudget(1 << 20).Attach(op)
	made := 0
	writers := func(f graphql.CollectedField) fastjson.FieldWriter[*person] {
		made++
		return writerOf(op)(f)
	}
	people := []string{"Person"}
	writable, unwritable := ast.SelectionSet{field("name", "name")}, ast.SelectionSet{field("slow", "slow")}
	for range 3 {
		require.NotNil(t, fastjson.Marshal(op, writable, people, writers, &person{name: "Ann"}))
		require.Nil(t, fastjson.Marshal(op, unwritable, people, writers, &person{name: "Ann"}))
	}
	require.Equal(t, 2, made)
}
