package fastjson_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"errand/graph/fastjson"
	"errand/graph/generated"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestPlansAnswerAsGqlgenDoes asks random documents of random worlds, once with plans and
// once without: the same members in the same order, the same values, the same errors.
func TestPlansAnswerAsGqlgenDoes(t *testing.T) {
	const documents = 1500
	answered, failed := 0, 0
	for seed := range uint64(documents) {
		r := rand.New(rand.NewPCG(seed, 2))
		schema := generated.NewExecutableSchema(generated.Config{Resolvers: newWorld(seed)})
		document := (&writer{r: r, schema: schema.Schema()}).document()
		if _, errs := gqlparser.LoadQueryWithRules(schema.Schema(), document, nil); len(errs) > 0 {
			continue // two fields of one name that cannot be merged
		}
		variables := map[string]any{"yes": r.IntN(2) == 0, "no": r.IntN(2) == 0}
		with, without := execute(t, schema, document, variables, false), execute(t, schema, document, variables, true)
		require.Equal(t, without, with, "seed %d: %s %v", seed, document, variables)
		answered++
		if strings.Contains(fmt.Sprint(with), `"message"`) {
			failed++
		}
	}
	require.Greater(t, answered, documents/2, "most documents are valid")
	require.Greater(t, failed, documents/10, "errors are met often")
}

// execute gives each answer as its tokens, in order, and its errors, which have no order.
func execute(
	t *testing.T,
	schema graphql.ExecutableSchema,
	document string,
	variables map[string]any,
	off bool,
) (answers []any) {
	exec := executor.New(schema)
	exec.SetErrorPresenter(graphql.DefaultErrorPresenter)
	ctx := graphql.StartOperationTrace(context.Background())
	op, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: variables})
	require.Empty(t, errs)
	room := fastjson.NewBudget(1 << 20)
	if off {
		room.Disable()
	}
	room.Attach(op)
	next, ctx := exec.DispatchOperation(ctx, op)
	for response := next(ctx); response != nil; response = next(ctx) {
		answers = append(answers, tokens(t, response.Data), messages(response))
		if op.Operation.Operation != ast.Subscription {
			break
		}
	}
	return answers
}

func tokens(t *testing.T, data []byte) (all []json.Token) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err, "%s", data)
		all = append(all, token)
	}
}

func messages(r *graphql.Response) (all []string) {
	for _, e := range r.Errors {
		text, _ := json.Marshal(e)
		all = append(all, string(text))
	}
	slices.Sort(all)
	return all
}

// writer writes a random document for a schema.
type writer struct {
	r         *rand.Rand
	schema    *ast.Schema
	fragments []string
	fields    int // so far
}

func (w *writer) document() string {
	root, kind := w.schema.Query, "query"
	if w.r.IntN(4) == 0 {
		root, kind = w.schema.Subscription, "subscription"
	}
	body := w.set(root, 5)
	if kind == "subscription" { // which has one field at the top
		body = w.field(root.Fields[w.r.IntN(2)], root, 5)
	}
	body = "{" + body + " }" + strings.Join(w.fragments, "")
	var declared string
	for _, variable := range []string{"$yes", "$no"} {
		if strings.Contains(body, variable) {
			declared += variable + ": Boolean! "
		}
	}
	if declared != "" {
		kind += "(" + declared + ")"
	}
	return kind + " " + body
}

// set writes a few fields and fragments of a type, some of them twice.
func (w *writer) set(of *ast.Definition, depth int) string {
	var out strings.Builder
	for range 1 + w.r.IntN(4) {
		switch w.r.IntN(8) {
		case 0:
			out.WriteString(" __typename")
		case 1:
			out.WriteString(w.fragment(of, depth))
		default:
			if f := of.Fields[w.r.IntN(len(of.Fields))]; !strings.HasPrefix(f.Name, "__") {
				out.WriteString(w.field(f, of, depth))
			} else {
				out.WriteString(" __typename")
			}
		}
	}
	return out.String()
}

func (w *writer) field(f *ast.FieldDefinition, of *ast.Definition, depth int) string {
	name := f.Name
	if n := w.r.IntN(4); n < 2 {
		name = fmt.Sprintf("%s_%s%d: %s", of.Name, f.Name, n, f.Name)
	}
	w.fields++
	text := " " + name + arguments(f) + w.condition(of)
	below := w.schema.Types[f.Type.Name()]
	if !below.IsCompositeType() {
		return text
	}
	if depth == 0 || w.fields > 60 {
		return text + " { __typename }"
	}
	return text + " {" + w.set(below, depth-1) + " }"
}

// arguments gives each field the same ones everywhere, so that equal fields merge.
func arguments(f *ast.FieldDefinition) string {
	var given []string
	for _, a := range f.Arguments {
		if !a.Type.NonNull || a.DefaultValue != nil {
			continue
		}
		value := `"a"`
		if a.Type.Elem != nil {
			value = `["a", "b", "c"]`
		} else if a.Type.Name() == "Int" {
			value = "1"
		}
		given = append(given, a.Name+": "+value)
	}
	if given == nil {
		return ""
	}
	return "(" + strings.Join(given, ", ") + ")"
}

// condition leaves things out now and then, except a subscription's own field.
func (w *writer) condition(of *ast.Definition) string {
	if of == w.schema.Subscription {
		return ""
	}
	return []string{"", "", "", " @skip(if: $no)", " @include(if: $yes)", " @skip(if: true)", " @include(if: true) @skip(if: $yes)"}[w.r.IntN(7)]
}

// fragment writes one on the type itself, on one of its interfaces, or on one of its possible types.
func (w *writer) fragment(of *ast.Definition, depth int) string {
	types := append(w.schema.GetPossibleTypes(of), of)
	types = append(types, w.schema.GetImplements(of)...)
	slices.SortFunc(types, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	on := types[w.r.IntN(len(types))]
	if depth == 0 {
		return " __typename"
	}
	body := " {" + w.set(on, depth-1) + " }"
	if w.r.IntN(2) == 0 {
		return " ... on " + on.Name + w.condition(of) + body
	}
	name := fmt.Sprintf("F%d", len(w.fragments))
	w.fragments = append(w.fragments, " fragment "+name+" on "+on.Name+body)
	return " ..." + name + w.condition(of)
}
