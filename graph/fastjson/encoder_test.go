package fastjson_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"errand/graph/fastjson"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"
)

func TestStringsReadBackAsTheyWere(t *testing.T) {
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

// how plans person: "name" is a value, "slow" needs more.
func how(op *graphql.OperationContext) func(f graphql.CollectedField) fastjson.FieldWriter[*person] {
	return func(f graphql.CollectedField) fastjson.FieldWriter[*person] {
		switch f.Name {
		case "name":
			return func(b *bytes.Buffer, p *person) bool { fastjson.String(b, p.name); return true }
		case "born":
			return func(b *bytes.Buffer, p *person) bool { return p.born != nil || fastjson.Null(b, false) }
		case "mother":
			return fastjson.Object(op, f.Selections, nil, how(op), true, func(p *person) *person { return p.parent })
		case "father":
			return fastjson.Object(op, f.Selections, nil, how(op), false, func(p *person) *person { return p.parent })
		case "friends":
			return fastjson.List(op, f.Selections, nil, how(op), func(p *person) []*person { return p.friends })
		default:
			return nil
		}
	}
}

func field(name, alias string, children ...ast.Selection) *ast.Field {
	return &ast.Field{Name: name, Alias: alias, SelectionSet: children}
}

func marshal(p *person, selection ...ast.Selection) (string, bool) {
	op := &graphql.OperationContext{}
	m := fastjson.Marshal(op, selection, nil, how(op), p)
	if m == nil {
		return "", false
	}
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.String(), true
}

func TestAPlanWritesSelectionsWithTheirAliases(t *testing.T) {
	ann := &person{name: "Ann"}
	ben := &person{name: `Be"n`, parent: ann, friends: []*person{ann, ann}}
	got, ok := marshal(ben, field("name", "first"), field("born", "born"), field("father", "dad", field("name", "name")),
		field("friends", "friends", field("name", "n")))
	require.True(t, ok)
	require.Equal(t, `{"first":"Be\"n","born":null,"dad":{"name":"Ann"},"friends":[{"n":"Ann"},{"n":"Ann"}]}`, got)
	got, ok = marshal(
		ann,
		field("father", "father", field("name", "name")),
		field("friends", "friends", field("name", "n")),
	)
	require.True(t, ok)
	require.Equal(t, `{"father":null,"friends":[]}`, got)
}

func TestAPlanLeavesToGqlgenWhatItCannotWrite(t *testing.T) {
	ann := &person{name: "Ann"}
	for name, selection := range map[string]ast.Selection{
		"a field that needs more":      field("slow", "slow"),
		"one inside an object":         field("father", "father", field("slow", "slow")),
		"one inside a list":            field("friends", "friends", field("slow", "slow")),
		"a null where none may stand":  field("mother", "mother", field("name", "name")),
		"a deferred fragment's fields": &ast.InlineFragment{SelectionSet: ast.SelectionSet{field("name", "name")}, Directives: ast.DirectiveList{{Name: "defer"}}},
	} {
		_, ok := marshal(ann, field("name", "name2"), selection)
		require.False(t, ok, name)
	}
	_, ok := marshal(nil, field("name", "name"))
	require.False(t, ok, "no object")
}
