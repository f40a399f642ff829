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

// The test executes random documents on random data with and without field writers, and compares the members and their
// order, the values and the errors.
func TestMarshal_RandomDocuments_EqualsGqlgen(t *testing.T) {
	const (
		documents   = 1500
		maxResponse = 1 << 20
	)
	executed, failed := 0, 0
	for seed := range uint64(documents) {
		r := rand.New(rand.NewPCG(seed, 2))
		schema := generated.NewExecutableSchema(generated.Config{Resolvers: newFixture(seed)})
		document := (&documentGenerator{r: r, schema: schema.Schema()}).document()
		if _, errs := gqlparser.LoadQueryWithRules(schema.Schema(), document, nil); len(errs) > 0 {
			continue // two fields with the same response key that cannot be merged
		}
		variables := map[string]any{"yes": r.IntN(2) == 0, "no": r.IntN(2) == 0}
		with := execute(t, schema, document, variables, fastjson.NewBudget(maxResponse))
		withoutWriters := fastjson.NewBudget(maxResponse)
		withoutWriters.Disable()
		without := execute(t, schema, document, variables, withoutWriters)
		require.Equal(t, without, with, "seed %d: %s %v", seed, document, variables)
		executed++
		if strings.Contains(fmt.Sprint(with), `"message"`) {
			failed++
		}
	}
	require.Greater(t, executed, documents/2, "too few documents are valid")
	require.Greater(t, failed, documents/10, "too few documents cause errors")
}

// execute returns the responses of an operation: for each its JSON tokens in order, and its errors, sorted.
func execute(
	t *testing.T,
	schema graphql.ExecutableSchema,
	document string,
	variables map[string]any,
	budget *fastjson.Budget,
) (responses []any) {
	exec := executor.New(schema)
	exec.SetErrorPresenter(graphql.DefaultErrorPresenter)
	ctx := graphql.StartOperationTrace(context.Background())
	op, errs := exec.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: variables})
	require.Empty(t, errs)
	budget.Attach(op)
	next, ctx := exec.DispatchOperation(ctx, op)
	for response := next(ctx); response != nil; response = next(ctx) {
		responses = append(responses, tokens(t, response.Data), messages(response))
		if op.Operation.Operation != ast.Subscription {
			break
		}
	}
	return responses
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

// documentGenerator generates a random document for a schema.
type documentGenerator struct {
	r         *rand.Rand
	schema    *ast.Schema
	fragments []string
	fields    int // generated so far
}

func (g *documentGenerator) document() string {
	root, kind := g.schema.Query, "query"
	if g.r.IntN(4) == 0 {
		root, kind = g.schema.Subscription, "subscription"
	}
	body := g.selectionSet(root, 5)
	if kind == "subscription" { // has exactly one root field
		body = g.field(root.Fields[g.r.IntN(2)], root, 5)
	}
	body = "{" + body + " }" + strings.Join(g.fragments, "")
	var declarations string
	for _, variable := range []string{"$yes", "$no"} {
		if strings.Contains(body, variable) {
			declarations += variable + ": Boolean! "
		}
	}
	if declarations != "" {
		kind += "(" + declarations + ")"
	}
	return kind + " " + body
}

// selectionSet generates a few fields and fragments of a type, some of them twice.
func (g *documentGenerator) selectionSet(of *ast.Definition, depth int) string {
	var out strings.Builder
	for range 1 + g.r.IntN(4) {
		switch g.r.IntN(8) {
		case 0:
			out.WriteString(" __typename")
		case 1:
			out.WriteString(g.fragment(of, depth))
		default:
			if f := of.Fields[g.r.IntN(len(of.Fields))]; !strings.HasPrefix(f.Name, "__") {
				out.WriteString(g.field(f, of, depth))
			} else {
				out.WriteString(" __typename")
			}
		}
	}
	return out.String()
}

func (g *documentGenerator) field(f *ast.FieldDefinition, of *ast.Definition, depth int) string {
	name := f.Name
	if n := g.r.IntN(4); n < 2 {
		name = fmt.Sprintf("%s_%s%d: %s", of.Name, f.Name, n, f.Name)
	}
	g.fields++
	text := " " + name + arguments(f) + g.condition(of)
	below := g.schema.Types[f.Type.Name()]
	if !below.IsCompositeType() {
		return text
	}
	if depth == 0 || g.fields > 60 {
		return text + " { __typename }"
	}
	return text + " {" + g.selectionSet(below, depth-1) + " }"
}

// arguments returns the required arguments of a field. They are the same everywhere, so that equal fields merge.
func arguments(f *ast.FieldDefinition) string {
	var list []string
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
		list = append(list, a.Name+": "+value)
	}
	if list == nil {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// condition returns @skip and @include directives at random; none for the root field of a subscription.
func (g *documentGenerator) condition(of *ast.Definition) string {
	if of == g.schema.Subscription {
		return ""
	}
	directives := []string{
		"", "", "",
		" @skip(if: $no)",
		" @include(if: $yes)",
		" @skip(if: true)",
		" @include(if: true) @skip(if: $yes)",
	}
	return directives[g.r.IntN(len(directives))]
}

// fragment generates a fragment on the type itself, on one of its interfaces or on one of its possible types.
func (g *documentGenerator) fragment(of *ast.Definition, depth int) string {
	types := append(g.schema.GetPossibleTypes(of), of)
	types = append(types, g.schema.GetImplements(of)...)
	slices.SortFunc(types, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	on := types[g.r.IntN(len(types))]
	if depth == 0 {
		return " __typename"
	}
	body := " {" + g.selectionSet(on, depth-1) + " }"
	if g.r.IntN(2) == 0 {
		return " ... on " + on.Name + g.condition(of) + body
	}
	name := fmt.Sprintf("F%d", len(g.fragments))
	g.fragments = append(g.fragments, " fragment "+name+" on "+on.Name+body)
	return " ..." + name + g.condition(of)
}
