package graph

import (
	"context"

	"errand/ent/message"
	"errand/ent/task"
	"errand/ent/taskchange"
	"errand/graph/generated"

	"github.com/99designs/gqlgen/graphql"
)

// derivedColumns are the columns behind fields that are more than one column as it is. An
// empty list is an edge: it starts from the keys, which lists always read.
var derivedColumns = map[string][]string{
	"Task.completed":        {task.FieldCompletedAt},
	"Task.changes":          {},
	"Conversation.messages": {},
	"Message.conversation":  {},
	"Message.toolCalls":     {},
	"Message.error":         {message.FieldErrorCode, message.FieldRetryAt},
	"Message.unverified":    {message.FieldUnverifiedReason},
	"Message.usage": {
		message.FieldModel, message.FieldInputTokens, message.FieldOutputTokens, message.FieldCachedTokens, message.FieldCostNanos,
	},
	"TaskChange.task":     {},
	"TaskChange.toolCall": {taskchange.FieldToolCallID},
}

// selectedColumns are those of the nodes of the connection that ctx's field gives which its
// selection reads. It is nil, for all columns, as soon as a selected field is not known here:
// a row that is read in part must hold whatever is asked of it. Texts that nobody asks for
// are most of a row, and what a request costs is reckoned without them.
func selectedColumns(ctx context.Context, node string) []string {
	op := graphql.GetOperationContext(ctx)
	out := []string{}
	add := func(fields []graphql.CollectedField) bool {
		for _, f := range fields {
			if f.Name == "__typename" {
				continue
			}
			if column, ok := generated.Columns[node][f.Name]; ok {
				out = append(out, column)
				continue
			}
			more, ok := derivedColumns[node+"."+f.Name]
			if !ok {
				return false
			}
			out = append(out, more...)
		}
		return true
	}
	for _, f := range graphql.CollectFieldsCtx(ctx, []string{node + "Connection"}) {
		nodes := []graphql.CollectedField{f}
		if f.Name == "edges" {
			nodes = graphql.CollectFields(op, f.Selections, []string{node + "Edge"})
		}
		for _, n := range nodes {
			if n.Name != "node" && n.Name != "nodes" {
				continue
			}
			if !add(graphql.CollectFields(op, n.Selections, []string{node, "Node"})) {
				return nil
			}
		}
	}
	return out
}
