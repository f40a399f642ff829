package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// generated resembles what gqlgen writes for two object types and one list type.
const generated = `package generated

import (
	"context"
)

func (ec *executionContext) _Task(ctx context.Context, sel ast.SelectionSet, obj *ent.Task) graphql.Marshaler {
	return nil
}

func (ec *executionContext) _TaskEdge(ctx context.Context, sel ast.SelectionSet, obj *page.TaskEdge) graphql.Marshaler {
	return nil
}

func (ec *executionContext) marshalNTask(ctx context.Context, sel ast.SelectionSet, v []*ent.Task) graphql.Marshaler {
	ret := graphql.MarshalSliceConcurrently(ctx, len(v), 0, false, func(ctx context.Context, i int) graphql.Marshaler {
		return nil
	})
	return ret
}

func (e *executableSchema) Exec(ctx context.Context) graphql.ResponseHandler {
	switch opCtx.Operation.Operation {
	case ast.Query:
		return func(ctx context.Context) *graphql.Response {
			var buf bytes.Buffer
			data.MarshalGQL(&buf)
			return nil
		}
	case ast.Mutation:
		return func(ctx context.Context) *graphql.Response {
			var buf bytes.Buffer
			data.MarshalGQL(&buf)
			return nil
		}
	}
	return nil
}
`

func TestUseFieldWriters_GqlgenSource_EditsEachPlaceOnce(t *testing.T) {
	edited, err := useFieldWriters([]byte(generated), []string{"Task", "TaskEdge"}, 1)
	require.NoError(t, err)
	for _, want := range []string{
		"fastjson.Marshal(ec.OperationContext, sel, taskImplementors, ec.fieldWriterTask, obj)",
		"fastjson.Marshal(ec.OperationContext, sel, taskEdgeImplementors, ec.fieldWriterTaskEdge, obj)",
		"fastjson.MarshalList(ctx, len(v), func(",
		`"errand/graph/fastjson"`,
	} {
		require.Equal(t, 1, strings.Count(string(edited), want), want)
	}
	require.NotContains(t, string(edited), "MarshalSliceConcurrently")
	require.Equal(t, 2, strings.Count(string(edited), "buf := fastjson.NewBuffer(opCtx)"))
}

func TestUseFieldWriters_UnexpectedSource_ReturnsError(t *testing.T) {
	const listCall = "graphql.MarshalSliceConcurrently(ctx, len(v), 0, false, "
	const marshalTask = "_Task(ctx context.Context, sel ast.SelectionSet, obj *ent.Task)"
	for name, test := range map[string]struct {
		old, new string
		want     string
	}{
		"marshaler renamed":      {"_Task(ctx", "_marshalTask(ctx", "0 marshalers of type Task"},
		"marshaler's arguments":  {marshalTask, "_Task(ctx context.Context, obj *ent.Task)", "0 marshalers of type Task"},
		"marshaler twice":        {"_TaskEdge(ctx", "_Task(ctx", "2 marshalers of type Task"},
		"list call gone":         {listCall, "graphql.MarshalSlice(", "occurs 0 times"},
		"list call's arguments":  {"len(v), 0, false", "len(v), 8, false", "occurs 0 times"},
		"one list call too many": {"return ret", listCall + "nil)", "occurs 2 times"},
		"one other buffer":       {"var buf bytes.Buffer", "buf := new(bytes.Buffer)", "occurs 1 times"},
		"one other list call":    {"return ret", "graphql.MarshalSliceConcurrently(ctx, 1)", "other arguments"},
		"imports not in a block": {"import (\n\t\"context\"\n)", "import \"context\"", "occurs 0 times"},
		"two import blocks":      {"import (\n", "import (\n)\n\nimport (\n", "occurs 2 times"},
	} {
		t.Run(name, func(t *testing.T) {
			source := strings.Replace(generated, test.old, test.new, 1)
			require.NotEqual(t, generated, source, "the replacement must apply")
			_, err := useFieldWriters([]byte(source), []string{"Task", "TaskEdge"}, 1)
			require.ErrorContains(t, err, test.want)
		})
	}
}
