package server

import (
	"fmt"
	"os"

	"errand/internal/config"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/graphqlhttp/limits"
	"errand/internal/task"
)

// Costs of fields that read more than a column. The unit is the cost of one field of one row.
const (
	longTextCost       = 60                 // a text that may have kilobytes, or rows that contain one
	toolCallsCost      = 20                 // the tool calls or the changes of a message
	lastMessageCost    = 10                 // the newest message of a conversation
	nestedPageCost     = 30                 // a page in each row of another page
	nodesCost          = 100 * longTextCost // nodes(ids:) reads up to 100 whole rows
	searchCost         = 10_000             // reads index entries of up to three words; the default limit allows two
	labelsCost         = 10_000             // reads 5,000 tasks
	overdueCost        = 3_000              // reads all pending tasks
	findTaskCost       = 10_000             // reads 1,100 titles, without index 50,000; the default limit allows two
	parseTaskCost      = 3_000              // up to 25 ms of CPU time; the default limit allows nine
	operationCost      = 60                 // changes a task; 50 of them are about four milliseconds of CPU time
	assumedToolCalls   = 2                  // tool calls per message
	assumedChanges     = 5                  // task changes per message
	assumedCallChanges = 2                  // task changes per tool call
	assumedChangeItems = 2                  // changed fields per task change
	assumedProposals   = 3                  // proposed changes per tool call
	assumedChoices     = 1                  // uncertain references per tool call
	assumedPending     = 10                 // tool calls that await approval
	assumedPolicies    = 10                 // tools in an approval policy
)

// documentLimits returns the limits of GraphQL documents. The sizes of two short lists are stated, because counting
// them as full pages would refuse ordinary queries.
func documentLimits(l config.Limits) limits.Limits {
	return limits.Limits{
		Tokens:     l.QueryTokens,
		Depth:      l.QueryDepth,
		Fields:     l.QueryFields,
		RootFields: l.QueryRootFields,
		Aliases:    l.QueryAliases,
		Directives: l.QueryDirectives,
		Fragments:  l.QueryFragments,
		Cost:       l.QueryComplexity,
		ListSizes: map[string]int{
			"Message.toolCalls": assumedToolCalls,
			"Message.changes":   assumedChanges,
			"ToolCall.changes":  assumedCallChanges,
			"TaskChange.fields": assumedChangeItems,

			"ToolCall.proposal":         assumedProposals,
			"ProposedChange.fields":     assumedChangeItems,
			"ToolCall.choices":          assumedChoices,
			"TaskChoice.candidates":     task.MaxCandidates,
			"ApprovalPayload.toolCalls": assumedToolCalls,
			"User.pendingApprovals":     assumedPending,
			"User.approvalPolicy":       assumedPolicies,

			"TaskMatch.candidates": task.MaxCandidates,
		},
		FieldCosts: map[string]int{
			"Message.content":            longTextCost,
			"Task.description":           longTextCost,
			"TaskChange.fields":          longTextCost,
			"ProposedChange.fields":      longTextCost,
			"Message.toolCalls":          toolCallsCost,
			"Message.changes":            toolCallsCost,
			"ToolCall.changes":           toolCallsCost,
			"User.pendingApprovals":      toolCallsCost,
			"ToolCall.message":           toolCallsCost,
			"TaskChange.toolCall":        toolCallsCost,
			"TaskChange.undone":          toolCallsCost,
			"Task.changes":               nestedPageCost,
			"Conversation.messages":      nestedPageCost,
			"Conversation.lastMessage":   lastMessageCost,
			"Conversation.lastMessageAt": lastMessageCost,
			"Query.nodes":                nodesCost,
			"Query.labels":               labelsCost,
			"TaskCounts.overdue":         overdueCost,
			"Query.findTask":             findTaskCost,
			"Query.parseTask":            parseTaskCost,
			"TaskFilter.search":          searchCost,
			"ConversationFilter.search":  searchCost,
			"Query.searchMessages":       searchCost,
			"MessageMatch.snippet":       longTextCost,
			"TaskOperation.create":       operationCost,
			"TaskOperation.update":       operationCost,
			"TaskOperation.complete":     operationCost,
			"TaskOperation.reopen":       operationCost,
			"TaskOperation.delete":       operationCost,
			"TaskOperation.restore":      operationCost,
		},
	}
}

// readManifest reads the documents that may be executed. An empty path returns nil, which allows all documents.
func readManifest(path string) (*exec.Manifest, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path) //nolint:gosec // the path is an operator's setting
	if err != nil {
		return nil, fmt.Errorf("PERSISTED_QUERIES_FILE: %w", err)
	}
	defer file.Close()
	manifest, err := exec.ReadManifest(file)
	if err != nil {
		return nil, fmt.Errorf("PERSISTED_QUERIES_FILE: %w", err)
	}
	return manifest, nil
}
