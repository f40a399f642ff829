package fastjson_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/graph/generated"
	"errand/graph/model"
	"errand/internal/apperr"
	"errand/internal/chat"
	"errand/internal/page"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/usage"
)

// fixture resolves every field of the schema with random rows: they contain strings that need escapes, nulls (also in
// non-null fields) and edges that fail. The same question always has the same result.
type fixture struct {
	generated.ResolverRoot // no mutations
	seed                   uint64
	users                  []*ent.User
	tasks                  []*ent.Task
	changes                []*ent.TaskChange
	conversations          []*ent.Conversation
	messages               []*ent.Message
	calls                  []*ent.ToolCall
}

const rowsPerType = 4

func newFixture(seed uint64) *fixture {
	f, r := &fixture{seed: seed}, rand.New(rand.NewPCG(seed, 1))
	for i := range rowsPerType {
		f.users = append(f.users, row(r, &ent.User{}, "user", i))
		f.tasks = append(f.tasks, row(r, &ent.Task{}, "task", i))
		f.changes = append(f.changes, row(r, &ent.TaskChange{}, "chg", i))
		f.conversations = append(f.conversations, row(r, &ent.Conversation{}, "conv", i))
		f.messages = append(f.messages, row(r, &ent.Message{}, "msg", i))
		f.calls = append(f.calls, row(r, &ent.ToolCall{}, "call", i))
	}
	return f
}

// row fills the exported fields of an entity with random values.
func row[T any](r *rand.Rand, into *T, kind string, i int) *T {
	v := reflect.ValueOf(into).Elem()
	for n := range v.NumField() {
		if v.Type().Field(n).IsExported() && v.Type().Field(n).Name != "Edges" {
			fillIn(r, v.Field(n))
		}
	}
	v.FieldByName("ID").SetString(fmt.Sprint(kind, "_", i))
	if task, ok := any(into).(*ent.Task); ok && task.DueOn != nil {
		*task.DueOn = "2026-11-25"
	}
	return into
}

var testStrings = []string{
	"", "x", `a "quoted" \ text`, "<script>&amp;", "line\nbreak\r\ttab", "\x00\x1f\x7f", "🦊 äöü",
	"\u2028\u2029", "bad \xff utf8", `{"a":[1,null]}`, "null",
}

// fillIn sets v to a random value.
func fillIn(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type().PkgPath() != "" { // an enum
			v.SetString([]string{"ONE", "TWO"}[r.IntN(2)])
			return
		}
		v.SetString(testStrings[r.IntN(len(testStrings))])
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(r.IntN(5)) - 1)
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Float64:
		v.SetFloat(r.Float64())
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fillIn(r, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			fillIn(r, v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(r.Int64N(2e9), r.Int64N(1e9))))
			return
		}
		for i := range v.NumField() {
			fillIn(r, v.Field(i))
		}
	}
}

// pick returns a number from 0 to n-1 that depends only on the seed and the question.
func (f *fixture) pick(n int, question ...any) int {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, append(question, f.seed)...)
	return int(h.Sum64() % uint64(n))
}

// one returns a row, nil or an error.
func one[T any](f *fixture, rows []*T, question ...any) (*T, error) {
	switch f.pick(8, append(question, "how")...) {
	case 0:
		return nil, nil
	case 1:
		return nil, apperr.New(apperr.NotFound, "No such object.")
	default:
		return rows[f.pick(len(rows), question...)], nil
	}
}

// several returns up to three rows, some of them nil, or an error.
func several[T any](f *fixture, rows []*T, question ...any) ([]*T, error) {
	all := make([]*T, f.pick(4, append(question, "size")...))
	for i := range all {
		if f.pick(12, append(question, i)...) != 0 { // else a null
			all[i] = rows[f.pick(len(rows), append(question, i, "which")...)]
		}
	}
	if f.pick(10, append(question, "how")...) == 0 {
		return nil, apperr.New(apperr.Unavailable, "Try again later.")
	}
	return all, nil
}

// paged returns a page of rows, nil or an error.
func paged[T any](f *fixture, rows []*T, question ...any) (*page.Connection[*T], error) {
	items, err := several(f, rows, question...)
	if err != nil || f.pick(12, append(question, "none")...) == 0 {
		return nil, err
	}
	cursorOf := func(v *T) page.Cursor { return page.Cursor{List: "l", Key: []any{fmt.Sprintf("%v", v != nil)}} }
	count := func(context.Context) (page.Total, error) {
		if f.pick(5, append(question, "count")...) == 0 {
			return page.Total{}, apperr.New(apperr.Unavailable, "Try again later.")
		}
		return page.Total{Count: len(items)}, nil
	}
	return page.Build(page.Window{Size: 2}, items, cursorOf, count), nil
}

// node returns a row of any type, nil or an error.
func (f *fixture) node(question ...any) (model.Node, error) {
	switch f.pick(8, append(question, "kind")...) {
	case 0:
		return f.users[0], nil
	case 1:
		return f.tasks[f.pick(rowsPerType, question...)], nil
	case 2:
		return f.changes[f.pick(rowsPerType, question...)], nil
	case 3:
		return f.conversations[f.pick(rowsPerType, question...)], nil
	case 4:
		return f.messages[f.pick(rowsPerType, question...)], nil
	case 5:
		return f.calls[f.pick(rowsPerType, question...)], nil
	case 6:
		return nil, apperr.New(apperr.Forbidden, "Not allowed.")
	default:
		return nil, nil
	}
}

// Resolvers by type.
type (
	queryResolver        struct{ *fixture }
	subscriptionResolver struct{ *fixture }
	conversationResolver struct{ *fixture }
	messageResolver      struct{ *fixture }
	messageAddedResolver struct{ *fixture }
	taskResolver         struct{ *fixture }
	taskChangeResolver   struct{ *fixture }
	toolCallResolver     struct{ *fixture }
	userResolver         struct{ *fixture }
)

func (f *fixture) Query() generated.QueryResolver               { return queryResolver{f} }
func (f *fixture) Subscription() generated.SubscriptionResolver { return subscriptionResolver{f} }
func (f *fixture) Conversation() generated.ConversationResolver { return conversationResolver{f} }
func (f *fixture) Message() generated.MessageResolver           { return messageResolver{f} }
func (f *fixture) MessageAdded() generated.MessageAddedResolver { return messageAddedResolver{f} }
func (f *fixture) Task() generated.TaskResolver                 { return taskResolver{f} }
func (f *fixture) TaskChange() generated.TaskChangeResolver     { return taskChangeResolver{f} }
func (f *fixture) ToolCall() generated.ToolCallResolver         { return toolCallResolver{f} }
func (f *fixture) User() generated.UserResolver                 { return userResolver{f} }

func (f toolCallResolver) Message(_ context.Context, c *ent.ToolCall) (*ent.Message, error) {
	return one(f.fixture, f.messages, "message", c.ID)
}

func (f userResolver) ApprovalPolicy(context.Context, *ent.User) ([]*enum.ToolApproval, error) {
	return several(f.fixture, []*enum.ToolApproval{{Tool: "delete_task", Mode: enum.ApprovalAsk}}, "policy")
}

func (f userResolver) PendingApprovals(context.Context, *ent.User) ([]*ent.ToolCall, error) {
	return several(f.fixture, f.calls, "pending")
}

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
