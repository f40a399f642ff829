package server

import (
	"fmt"
	"os"

	"errand/internal/graphqlhttp"
	"errand/internal/graphqlhttp/limits"
)

// What reading takes beyond a field, in fields.
const (
	// textCost is for a long text, or the rows that hold some: a page of them is megabytes.
	textCost = 60
	// callsCost is for the tool calls of a message.
	callsCost = 20
	// pageCost is for a page of its own in each row of another.
	pageCost = 30
	// nodesCost is for nodes(ids:), which reads up to a hundred whole rows.
	nodesCost = 100 * textCost
	// searchCost lets a request search twice: each search reads all of a person's texts.
	searchCost = 10_000
)

// documentLimits bounds GraphQL documents. A reply uses few tools and a change
// touches few fields: counting those lists as pages would refuse ordinary queries.
func (s *Server) documentLimits() limits.Limits {
	l := s.Config.Limits
	return limits.Limits{
		Tokens: l.QueryTokens, Depth: l.QueryDepth, Fields: l.QueryFields, RootFields: l.QueryRootFields, Aliases: l.QueryAliases,
		Directives: l.QueryDirectives, Fragments: l.QueryFragments, Cost: l.QueryComplexity,
		ListSizes: map[string]int{"Message.toolCalls": 2, "TaskChange.fields": 2},
		FieldCosts: map[string]int{
			"Message.content": textCost, "Task.description": textCost, "TaskChange.fields": textCost,
			"Message.toolCalls": callsCost, "TaskChange.toolCall": callsCost,
			"Task.changes": pageCost, "Conversation.messages": pageCost,
			"Query.nodes": nodesCost, "TaskFilter.search": searchCost,
		},
	}
}

// openManifest reads the only documents that may run; nil, which allows all, without a path.
func openManifest(path string) (*graphqlhttp.Manifest, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, fmt.Errorf("PERSISTED_QUERIES_FILE: %w", err)
	}
	defer file.Close()
	manifest, err := graphqlhttp.ReadManifest(file)
	if err != nil {
		return nil, fmt.Errorf("PERSISTED_QUERIES_FILE: %w", err)
	}
	return manifest, nil
}
