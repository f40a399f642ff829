package mcp

import (
	"context"
	"strconv"
	"strings"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/page"
	"errand/internal/task"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// listingSize is how many tasks, and how many conversations, a page of resources holds.
const listingSize = 50

// A page's cursor says what follows: the list's letter, then its own cursor.
const (
	tasksCursor         = "t"
	conversationsCursor = "c"
)

// listResources lists what the viewer has: the open list, the open tasks, then the
// conversations. The SDK's own lists are the same for everybody.
func (s *Server) listResources(ctx context.Context, req *sdk.ListResourcesRequest) (*sdk.ListResourcesResult, error) {
	cursor := ""
	if req.Params != nil {
		cursor = req.Params.Cursor
	}
	result := &sdk.ListResourcesResult{Resources: []*sdk.Resource{}}
	cacheable(ctx, req, &result.Cacheable)
	switch {
	case cursor == "":
		result.Resources = append(result.Resources, openTasks())
		return result, s.listOpen(ctx, result, nil)
	case strings.HasPrefix(cursor, tasksCursor):
		after := cursor[len(tasksCursor):]
		return result, s.listOpen(ctx, result, &after)
	case strings.HasPrefix(cursor, conversationsCursor):
		after := cursor[len(conversationsCursor):]
		return result, s.listConversations(ctx, result, &after)
	default:
		return nil, apperr.Invalid("cursor", "Not a cursor of this list: give back one that was received, unchanged.")
	}
}

func (s *Server) listOpen(ctx context.Context, result *sdk.ListResourcesResult, after *string) error {
	size, pending := listingSize, enum.TaskPending
	found, err := s.o.Tasks.ListTasks(ctx, page.Args{First: &size, After: after},
		&task.Order{Field: enum.OrderNumber, Direction: enum.Ascending}, &task.Filter{Status: &pending})
	if err != nil {
		return err
	}
	for _, t := range found.Nodes() {
		result.Resources = append(result.Resources, taskResource(t))
	}
	if found.PageInfo.HasNextPage {
		result.NextCursor = tasksCursor + *found.PageInfo.EndCursor()
		return nil
	}
	return s.listConversations(ctx, result, nil)
}

func (s *Server) listConversations(ctx context.Context, result *sdk.ListResourcesResult, after *string) error {
	size := listingSize
	found, err := s.o.Conversations.ListConversations(ctx, page.Args{First: &size, After: after})
	if err != nil {
		return err
	}
	for _, c := range found.Nodes() {
		result.Resources = append(result.Resources, &sdk.Resource{
			URI: conversationAt(c.ID), Name: c.ID, Title: c.Title, MIMEType: jsonType, Annotations: changedAt(c.UpdatedAt),
		})
	}
	if found.PageInfo.HasNextPage {
		result.NextCursor = conversationsCursor + *found.PageInfo.EndCursor()
	}
	return nil
}

func taskResource(t *ent.Task) *sdk.Resource {
	return &sdk.Resource{
		URI: taskAt(strconv.Itoa(t.Number)), Name: "task-" + strconv.Itoa(t.Number), Title: t.Title,
		MIMEType: jsonType, Annotations: changedAt(t.UpdatedAt),
	}
}

func taskAt(name string) string { return scheme + "://tasks/" + name }

func changedAt(at time.Time) *sdk.Annotations {
	return &sdk.Annotations{LastModified: at.UTC().Format(time.RFC3339)}
}
