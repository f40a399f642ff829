package fastjson_test

import (
	"context"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/graph/generated"
	"errand/graph/model"
	"errand/internal/chat"
	"errand/internal/page"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/usage"
)

// Resolvers by type.
type (
	queryResolver        struct{ *fixture }
	subscriptionResolver struct{ *fixture }
	conversationResolver struct{ *fixture }
	messageResolver      struct{ *fixture }
	messageAddedResolver struct{ *fixture }
	taskResolver         struct{ *fixture }
	taskChangeResolver   struct{ *fixture }
	taskEventResolver    struct{ *fixture }
	toolCallResolver     struct{ *fixture }
	userResolver         struct{ *fixture }
	apiTokenResolver     struct{ *fixture }
)

func (f *fixture) Query() generated.QueryResolver               { return queryResolver{f} }
func (f *fixture) Subscription() generated.SubscriptionResolver { return subscriptionResolver{f} }
func (f *fixture) Conversation() generated.ConversationResolver { return conversationResolver{f} }
func (f *fixture) Message() generated.MessageResolver           { return messageResolver{f} }
func (f *fixture) MessageAdded() generated.MessageAddedResolver { return messageAddedResolver{f} }
func (f *fixture) Task() generated.TaskResolver                 { return taskResolver{f} }
func (f *fixture) TaskChange() generated.TaskChangeResolver     { return taskChangeResolver{f} }
func (f *fixture) TaskEvent() generated.TaskEventResolver       { return taskEventResolver{f} }
func (f *fixture) ToolCall() generated.ToolCallResolver         { return toolCallResolver{f} }
func (f *fixture) User() generated.UserResolver                 { return userResolver{f} }
func (f *fixture) ApiToken() generated.ApiTokenResolver         { return apiTokenResolver{f} }

func (apiTokenResolver) Scopes(context.Context, *ent.APIToken) ([]enum.TokenScope, error) {
	return []enum.TokenScope{enum.ScopeChat}, nil
}

func (apiTokenResolver) Status(context.Context, *ent.APIToken) (enum.TokenStatus, error) {
	return enum.TokenActive, nil
}

func (f queryResolver) APITokens(
	context.Context,
	*int,
	*string,
	*int,
	*string,
) (*page.APITokenConnection, error) {
	return paged(f.fixture, f.tokens, "tokens")
}

func (f taskEventResolver) TaskEdge(
	_ context.Context,
	event *stream.TaskEvent,
	_ *task.Order,
) (*page.Edge[*ent.Task], error) {
	cursorOf := func(t *ent.Task) page.Cursor { return page.Cursor{List: "l", Key: []any{t.Number}} }
	edges := []*page.Edge[*ent.Task]{page.NewEdge(f.tasks[0], cursorOf), page.NewEdge(f.tasks[1], cursorOf)}
	return one(f.fixture, edges, "edge", event.Cursor)
}

func (f toolCallResolver) Message(_ context.Context, c *ent.ToolCall) (*ent.Message, error) {
	return one(f.fixture, f.messages, "message", c.ID)
}

func (f userResolver) ApprovalPolicy(context.Context, *ent.User) ([]*enum.ToolApproval, error) {
	return several(f.fixture, []*enum.ToolApproval{{Tool: "delete_task", Mode: enum.ApprovalAsk}}, "policy")
}

func (f userResolver) PendingApprovals(context.Context, *ent.User) ([]*ent.ToolCall, error) {
	return several(f.fixture, f.calls, "pending")
}

func (userResolver) WaitingReplies(context.Context, *ent.User) (int, error) { return 2, nil }

func (f queryResolver) Viewer(context.Context) (*ent.User, error) {
	return one(f.fixture, f.users, "viewer")
}

func (f queryResolver) Node(_ context.Context, id string) (model.Node, error) {
	return f.node("node", id)
}

func (f queryResolver) Nodes(_ context.Context, ids []string) ([]model.Node, error) {
	all := make([]model.Node, len(ids))
	for i, id := range ids {
		all[i], _ = f.node("nodes", id)
	}
	return all, nil
}

func (f queryResolver) Tasks(
	context.Context,
	*int,
	*string,
	*int,
	*string,
	*task.Order,
	*task.Filter,
) (*page.TaskConnection, error) {
	return paged(f.fixture, f.tasks, "tasks")
}

func (f queryResolver) FindTask(_ context.Context, _ string, _ *enum.TaskStatus, _ *bool) (*task.Match, error) {
	return &task.Match{Certain: f.tasks[0], Candidates: []task.Candidate{{Task: f.tasks[0], Reason: enum.MatchTitle}}}, nil
}

func (f queryResolver) Task(_ context.Context, number int) (*ent.Task, error) {
	return one(f.fixture, f.tasks, "task", number)
}

func (f queryResolver) TaskCounts(context.Context) (*task.Counts, error) {
	overdue := func(context.Context) (int, error) { return 4, nil }
	return one(f.fixture, []*task.Counts{{Pending: 1, Completed: 2, Trashed: 3, CountOverdue: overdue}}, "counts")
}

func (f queryResolver) Labels(context.Context, *int) ([]*task.LabelCount, error) {
	return several(f.fixture, []*task.LabelCount{{Name: "a\"b", Count: 2}, {Name: "ü", Count: 1}}, "labels")
}

func (f queryResolver) Conversations(
	context.Context,
	*int,
	*string,
	*int,
	*string,
	*chat.ConversationFilter,
) (*page.ConversationConnection, error) {
	return paged(f.fixture, f.conversations, "conversations")
}

func (f queryResolver) SearchMessages(
	context.Context,
	string,
	*int,
	*string,
	*int,
	*string,
) (*chat.MessageMatchConnection, error) {
	var matches []*chat.MessageMatch
	for _, m := range f.messages {
		matches = append(matches, &chat.MessageMatch{Message: m})
	}
	return paged(f.fixture, matches, "search")
}

func (f queryResolver) Conversation(_ context.Context, id string) (*ent.Conversation, error) {
	return one(f.fixture, f.conversations, "conversation", id)
}

func (f queryResolver) ExportViewer(context.Context) (string, error) { return `{"all":1}`, nil }

func (f conversationResolver) Messages(
	_ context.Context,
	c *ent.Conversation,
	_ *int,
	_ *string,
	_ *int,
	_ *string,
) (*page.MessageConnection, error) {
	return paged(f.fixture, f.messages, "messages", c.ID)
}

func (f conversationResolver) LastMessage(_ context.Context, c *ent.Conversation) (*ent.Message, error) {
	return one(f.fixture, f.messages, "last message", c.ID)
}

func (f conversationResolver) LastMessageAt(_ context.Context, c *ent.Conversation) (*time.Time, error) {
	return one(f.fixture, []*time.Time{&c.CreatedAt}, "time of the last message", c.ID)
}

func (f messageAddedResolver) MessageEdge(_ context.Context, e *stream.MessageAdded) (*page.MessageEdge, error) {
	return edgeOf(e.Message), nil
}

func (f messageResolver) Conversation(_ context.Context, m *ent.Message) (*ent.Conversation, error) {
	return one(f.fixture, f.conversations, "of message", m.ID)
}

func (f messageResolver) ToolCalls(_ context.Context, m *ent.Message) ([]*ent.ToolCall, error) {
	return several(f.fixture, f.calls, "calls", m.ID)
}

func (f messageResolver) Changes(_ context.Context, m *ent.Message) ([]*ent.TaskChange, error) {
	return several(f.fixture, f.changes, "receipt", m.ID)
}

func (f toolCallResolver) Changes(_ context.Context, c *ent.ToolCall) ([]*ent.TaskChange, error) {
	return several(f.fixture, f.changes, "changes of call", c.ID)
}

func (f taskResolver) Changes(
	_ context.Context,
	t *ent.Task,
	_ *int,
	_ *string,
	_ *int,
	_ *string,
) (*page.TaskChangeConnection, error) {
	return paged(f.fixture, f.changes, "changes", t.ID)
}

func (f taskChangeResolver) ToolCall(_ context.Context, c *ent.TaskChange) (*ent.ToolCall, error) {
	return one(f.fixture, f.calls, "call", c.ID)
}

func (f taskChangeResolver) Undone(_ context.Context, c *ent.TaskChange) (bool, error) {
	return f.pick(2, "undone", c.ID) == 0, nil
}

func (f taskChangeResolver) Task(_ context.Context, c *ent.TaskChange) (*ent.Task, error) {
	return one(f.fixture, f.tasks, "task of", c.ID)
}

func (f userResolver) Usage(_ context.Context, u *ent.User, _ enum.UsagePeriod) (*usage.Summary, error) {
	return one(f.fixture, []*usage.Summary{{Calls: 1}, {Cost: new(float64), DailyTokenLimit: new(int)}}, "usage", u.ID)
}

func (f subscriptionResolver) MessageStream(context.Context, string, *string) (<-chan stream.MessageEvent, error) {
	message, _ := one(f.fixture, f.messages, "added")
	call, _ := one(f.fixture, f.calls, "changed")
	return closedChannel[stream.MessageEvent](
		&stream.MessageAdded{Cursor: "1", Message: message},
		&stream.MessageDelta{Cursor: "2", MessageID: "m", Offset: 3, Text: testStrings[f.pick(len(testStrings), "text")]},
		&stream.ToolCallChanged{Cursor: "3", MessageID: "m", ToolCall: call},
		&stream.MessageFinished{Cursor: "4", Message: f.messages[0]},
	), nil
}

func (f subscriptionResolver) TaskStream(context.Context, *string) (<-chan *stream.TaskEvent, error) {
	task, _ := one(f.fixture, f.tasks, "event")
	return closedChannel(
		&stream.TaskEvent{Cursor: "1", Kind: "ONE", Task: task, Change: f.changes[0]},
		&stream.TaskEvent{Cursor: "2", Kind: "TWO", Task: f.tasks[0], Change: f.changes[1]},
	), nil
}

func (f subscriptionResolver) ConversationStream(
	context.Context, *string,
) (<-chan stream.ConversationEvent, error) {
	conversation, _ := one(f.fixture, f.conversations, "changed")
	return closedChannel[stream.ConversationEvent](
		&stream.ConversationChanged{Cursor: "1", ConversationEdge: edgeOf(conversation)},
		&stream.ConversationDeleted{Cursor: "2", DeletedID: "conv_9"},
		&stream.ConversationsReset{Cursor: "3"},
	), nil
}

// edgeOf returns an edge of v, which may be nil.
func edgeOf[T any](v *T) *page.Edge[*T] {
	return page.NewEdge(v, func(v *T) page.Cursor { return page.Cursor{List: "l", Key: []any{v != nil}} })
}

// closedChannel returns a closed channel that holds the events.
func closedChannel[T any](events ...T) <-chan T {
	c := make(chan T, len(events))
	for _, e := range events {
		c <- e
	}
	close(c)
	return c
}
