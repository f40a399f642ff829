package graph

import (
	"context"

	"errand/ent/message"
	"errand/ent/task"
	"errand/ent/taskchange"
	"errand/graph/generated"

	"github.com/99designs/gqlgen/graphql"
)

// derivedColumns lists the columns that fields are computed from, for fields that are not in generated.Columns. An
// empty list means an edge: it needs only the row's keys, which lists always read.
var derivedColumns = map[string][]string{
	"Task.completed":             {task.FieldCompletedAt},
	"Task.changes":               {},
	"Conversation.messages":      {},
	"Conversation.lastMessage":   {},
	"Conversation.lastMessageAt": {},
	"Message.conversation":       {},
	"Message.toolCalls":          {},
	"Message.changes":            {},
	"Message.error":              {message.FieldErrorCode, message.FieldErrorReason, message.FieldRetryAt},
	"Message.unverified":         {},
	"Message.unverifiedReason":   {},
	"Message.usage": {
		message.FieldModel,
		message.FieldInputTokens,
		message.FieldOutputTokens,
		message.FieldCachedTokens,
		message.FieldCostNanos,
	},
	"TaskChange.task":     {},
	"TaskChange.undone":   {},
	"TaskChange.toolCall": {taskchange.FieldToolCallID},
}

// selectedColumns returns the columns of the given type that the selection below the current connection field needs.
// Long texts are most of a row's size, so that reading only what is selected keeps a query as cheap as its cost
// estimate. It returns nil, which means all columns, if a selected field is not known to it.
func selectedColumns(ctx context.Context, typeName string) []string {
	op := graphql.GetOperationContext(ctx)
	columns := []string{}
	for _, f := range graphql.CollectFieldsCtx(ctx, []string{typeName + "Connection"}) {
		candidates := []graphql.CollectedField{f}
		if f.Name == "edges" {
			candidates = graphql.CollectFields(op, f.Selections, []string{typeName + "Edge"})
		}
		for _, n := range candidates {
			if n.Name != "node" && n.Name != "nodes" {
				continue
			}
			needed, ok := nodeColumns(graphql.CollectFields(op, n.Selections, []string{typeName, "Node"}), typeName)
			if !ok {
				return nil
			}
			columns = append(columns, needed...)
		}
	}
	return columns
}

// fieldColumnsBelow is selectedColumns for a field that returns one object of the type instead of a connection.
func fieldColumnsBelow(ctx context.Context, typeName string) []string {
	columns, ok := nodeColumns(graphql.CollectFieldsCtx(ctx, []string{typeName, "Node"}), typeName)
	if !ok {
		return nil
	}
	return columns
}

// nodeColumns returns the columns that the fields of an object need, and false if a field is not known.
func nodeColumns(fields []graphql.CollectedField, typeName string) ([]string, bool) {
	columns := []string{}
	for _, field := range fields {
		needed, ok := fieldColumns(typeName, field.Name)
		if !ok {
			return nil, false
		}
		columns = append(columns, needed...)
	}
	return columns, true
}

// fieldColumns returns the columns that a field needs, and whether the field is known.
func fieldColumns(typeName, field string) ([]string, bool) {
	if field == "__typename" {
		return nil, true
	}
	if column, ok := generated.Columns[typeName][field]; ok {
		return []string{column}, true
	}
	columns, ok := derivedColumns[typeName+"."+field]
	return columns, ok
}
