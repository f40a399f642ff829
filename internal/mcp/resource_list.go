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
	"errand/internal/viewer"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// listingSize is the number of tasks, and of conversations, on a page of resources.
const listingSize = 50

// A cursor is the letter of its list followed by the cursor in that list.
const (
	tasksCursor         = "t"
	conversationsCursor = "c"
)

// listResources lists the viewer's resources: the open list, the open tasks, then the conversations, as far as the
// token's scopes allow. The SDK's own list is the same for all users.
func (s *Server) listResources(ctx context.Context, req *sdk.ListResourcesRequest) (*sdk.ListResourcesResult, error) {
	v, err := viewer.RequireAny(ctx, viewer.TasksRead, viewer.Chat)
	if err != nil {
		return nil, err
	}
	cursor := ""
	if req.Params != nil {
		cursor = req.Params.Cursor
	}
	result := &sdk.ListResourcesResult{Resources: []*sdk.Resource{}}
	cacheable(ctx, req, &result.Cacheable)
	switch {
	case cursor == "" && !v.Scopes.Allow(viewer.TasksRead):
		return result, s.listConversationResources(ctx, result, nil)
	case cursor == "":
		result.Resources = append(result.Resources, openTasksResource())
		return result, s.listTaskResources(ctx, result, nil)
	case strings.HasPrefix(cursor, tasksCursor):
		after := cursor[len(tasksCursor):]
		return result, s.listTaskResources(ctx, result, &after)
	case strings.HasPrefix(cursor, conversationsCursor):
		after := cursor[len(conversationsCursor):]
		return result, s.listConversationResources(ctx, result, &after)
	default:
		return nil, apperr.Invalid("cursor", "Not a cursor of this list; pass a nextCursor unchanged.")
	}
}

func (s *Server) listTaskResources(ctx context.Context, result *sdk.ListResourcesResult, after *string) error {
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
	if v, _ := viewer.FromContext(ctx); !v.Scopes.Allow(viewer.Chat) {
		return nil
	}
	return s.listConversationResources(ctx, result, nil)
}

func (s *Server) listConversationResources(ctx context.Context, result *sdk.ListResourcesResult, after *string) error {
	size := listingSize
	found, err := s.o.Conversations.ListConversations(ctx, page.Args{First: &size, After: after})
	if err != nil {
		return err
	}
	for _, c := range found.Nodes() {
		result.Resources = append(result.Resources, &sdk.Resource{
			URI: conversationURIOf(c.ID), Name: c.ID, Title: c.Title, MIMEType: jsonType,
			Annotations: modifiedAnnotation(c.UpdatedAt),
		})
	}
	if found.PageInfo.HasNextPage {
		result.NextCursor = conversationsCursor + *found.PageInfo.EndCursor()
	}
	return nil
}

func taskResource(t *ent.Task) *sdk.Resource {
	return &sdk.Resource{
		URI: taskURIOf(strconv.Itoa(t.Number)), Name: "task-" + strconv.Itoa(t.Number), Title: t.Title,
		MIMEType: jsonType, Annotations: modifiedAnnotation(t.UpdatedAt),
	}
}

func taskURIOf(name string) string { return scheme + "://tasks/" + name }

func modifiedAnnotation(at time.Time) *sdk.Annotations {
	return &sdk.Annotations{LastModified: at.UTC().Format(time.RFC3339)}
}
