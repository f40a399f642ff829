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
	"errand/internal/page"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/usage"
)

// world answers every field of the schema with rows of chance: full of odd texts and
// nulls, also where none may stand, and with edges that fail. Asked the same, it
// answers the same.
type world struct {
	generated.ResolverRoot // no mutations
	seed                   uint64
	users                  []*ent.User
	tasks                  []*ent.Task
	changes                []*ent.TaskChange
	talks                  []*ent.Conversation
	messages               []*ent.Message
	calls                  []*ent.ToolCall
}

const rowsOfAKind = 4

func newWorld(seed uint64) *world {
	w, r := &world{seed: seed}, rand.New(rand.NewPCG(seed, 1))
	for i := range rowsOfAKind {
		w.users = append(w.users, row(r, &ent.User{}, "user", i))
		w.tasks = append(w.tasks, row(r, &ent.Task{}, "task", i))
		w.changes = append(w.changes, row(r, &ent.TaskChange{}, "chg", i))
		w.talks = append(w.talks, row(r, &ent.Conversation{}, "conv", i))
		w.messages = append(w.messages, row(r, &ent.Message{}, "msg", i))
		w.calls = append(w.calls, row(r, &ent.ToolCall{}, "call", i))
	}
	return w
}

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

var oddTexts = []string{
	"", "x", `a "quoted" \ text`, "<script>&amp;", "line\nbreak\r\ttab", "\x00\x1f\x7f", "🦊 äöü", "\u2028\u2029", "bad \xff utf8", `{"a":[1,null]}`, "null",
}

func fillIn(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type().PkgPath() != "" { // an enum
			v.SetString([]string{"ONE", "TWO"}[r.IntN(2)])
			return
		}
		v.SetString(oddTexts[r.IntN(len(oddTexts))])
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

// chance is the same number below n for the same question.
func (w *world) chance(n int, question ...any) int {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, append(question, w.seed)...)
	return int(h.Sum64() % uint64(n))
}

// one answers a question with a row, with nothing, or with a failure.
func one[T any](w *world, rows []*T, question ...any) (*T, error) {
	switch w.chance(8, append(question, "how")...) {
	case 0:
		return nil, nil
	case 1:
		return nil, apperr.New(apperr.NotFound, "No such thing.")
	default:
		return rows[w.chance(len(rows), question...)], nil
	}
}

func several[T any](w *world, rows []*T, question ...any) ([]*T, error) {
	all := make([]*T, w.chance(4, append(question, "size")...))
	for i := range all {
		if w.chance(12, append(question, i)...) != 0 { // else a null
			all[i] = rows[w.chance(len(rows), append(question, i, "which")...)]
		}
	}
	if w.chance(10, append(question, "how")...) == 0 {
		return nil, apperr.New(apperr.Unavailable, "Not just now.")
	}
	return all, nil
}

func paged[T any](w *world, rows []*T, question ...any) (*page.Connection[*T], error) {
	items, err := several(w, rows, question...)
	if err != nil || w.chance(12, append(question, "none")...) == 0 {
		return nil, err
	}
	place := func(v *T) page.Cursor { return page.Cursor{List: "l", Key: []any{fmt.Sprintf("%v", v != nil)}} }
	return page.Build(page.Window{Size: 2}, items, place, func(context.Context) (int, error) {
		return len(
			items,
		), map[bool]error{true: apperr.New(apperr.Unavailable, "Not just now.")}[w.chance(5, append(question, "count")...) == 0]
	}), nil
}

func (w *world) anything(question ...any) (model.Node, error) {
	switch w.chance(8, append(question, "kind")...) {
	case 0:
		return w.users[0], nil
	case 1:
		return w.tasks[w.chance(rowsOfAKind, question...)], nil
	case 2:
		return w.changes[w.chance(rowsOfAKind, question...)], nil
	case 3:
		return w.talks[w.chance(rowsOfAKind, question...)], nil
	case 4:
		return w.messages[w.chance(rowsOfAKind, question...)], nil
	case 5:
		return w.calls[w.chance(rowsOfAKind, question...)], nil
	case 6:
		return nil, apperr.New(apperr.Forbidden, "Not yours.")
	default:
		return nil, nil
	}
}

// The resolvers of each type.
type (
	worldQuery        struct{ *world }
	worldSubscription struct{ *world }
	worldTalk         struct{ *world }
	worldMessage      struct{ *world }
	worldTask         struct{ *world }
	worldChange       struct{ *world }
	worldUser         struct{ *world }
)

func (w *world) Query() generated.QueryResolver               { return worldQuery{w} }
func (w *world) Subscription() generated.SubscriptionResolver { return worldSubscription{w} }
func (w *world) Conversation() generated.ConversationResolver { return worldTalk{w} }
func (w *world) Message() generated.MessageResolver           { return worldMessage{w} }
func (w *world) Task() generated.TaskResolver                 { return worldTask{w} }
func (w *world) TaskChange() generated.TaskChangeResolver     { return worldChange{w} }
func (w *world) User() generated.UserResolver                 { return worldUser{w} }

func (w worldQuery) Viewer(context.Context) (*ent.User, error) {
	return one(w.world, w.users, "viewer")
}

func (w worldQuery) Node(_ context.Context, id string) (model.Node, error) {
	return w.anything("node", id)
}

func (w worldQuery) Nodes(_ context.Context, ids []string) ([]model.Node, error) {
	all := make([]model.Node, len(ids))
	for i, id := range ids {
		all[i], _ = w.anything("nodes", id)
	}
	return all, nil
}

func (w worldQuery) Tasks(
	context.Context,
	*int,
	*string,
	*int,
	*string,
	*task.Order,
	*task.Filter,
) (*page.TaskConnection, error) {
	return paged(w.world, w.tasks, "tasks")
}

func (w worldQuery) Task(_ context.Context, number int) (*ent.Task, error) {
	return one(w.world, w.tasks, "task", number)
}

func (w worldQuery) Conversations(context.Context, *int, *string, *int, *string) (*page.ConversationConnection, error) {
	return paged(w.world, w.talks, "conversations")
}

func (w worldQuery) Conversation(_ context.Context, id string) (*ent.Conversation, error) {
	return one(w.world, w.talks, "conversation", id)
}

func (w worldQuery) ExportViewer(context.Context) (string, error) { return `{"all":1}`, nil }

func (w worldTalk) Messages(
	_ context.Context,
	c *ent.Conversation,
	_ *int,
	_ *string,
	_ *int,
	_ *string,
) (*page.MessageConnection, error) {
	return paged(w.world, w.messages, "messages", c.ID)
}

func (w worldMessage) Conversation(_ context.Context, m *ent.Message) (*ent.Conversation, error) {
	return one(w.world, w.talks, "of message", m.ID)
}

func (w worldMessage) ToolCalls(_ context.Context, m *ent.Message) ([]*ent.ToolCall, error) {
	return several(w.world, w.calls, "calls", m.ID)
}

func (w worldTask) Changes(
	_ context.Context,
	t *ent.Task,
	_ *int,
	_ *string,
	_ *int,
	_ *string,
) (*page.TaskChangeConnection, error) {
	return paged(w.world, w.changes, "changes", t.ID)
}

func (w worldChange) ToolCall(_ context.Context, c *ent.TaskChange) (*ent.ToolCall, error) {
	return one(w.world, w.calls, "call", c.ID)
}

func (w worldChange) Task(_ context.Context, c *ent.TaskChange) (*ent.Task, error) {
	return one(w.world, w.tasks, "task of", c.ID)
}

func (w worldUser) Usage(_ context.Context, u *ent.User, _ enum.UsagePeriod) (*usage.Summary, error) {
	return one(w.world, []*usage.Summary{{Calls: 1}, {Cost: new(float64), DailyTokenLimit: new(int)}}, "usage", u.ID)
}

func (w worldSubscription) MessageStream(context.Context, string, *string) (<-chan stream.MessageEvent, error) {
	message, _ := one(w.world, w.messages, "added")
	call, _ := one(w.world, w.calls, "changed")
	return told[stream.MessageEvent](
		&stream.MessageAdded{
			Cursor:  "1",
			Message: message,
		},
		&stream.MessageDelta{Cursor: "2", MessageID: "m", Offset: 3, Text: oddTexts[w.chance(len(oddTexts), "text")]},
		&stream.ToolCallChanged{
			Cursor:    "3",
			MessageID: "m",
			ToolCall:  call,
		},
		&stream.MessageFinished{Cursor: "4", Message: w.messages[0]},
	), nil
}

func (w worldSubscription) TaskStream(context.Context, *string) (<-chan *stream.TaskEvent, error) {
	task, _ := one(w.world, w.tasks, "event")
	return told(
		&stream.TaskEvent{Cursor: "1", Kind: "ONE", Task: task, Change: w.changes[0]},
		&stream.TaskEvent{Cursor: "2", Kind: "TWO", Task: w.tasks[0], Change: w.changes[1]},
	), nil
}

func told[T any](events ...T) <-chan T {
	c := make(chan T, len(events))
	for _, e := range events {
		c <- e
	}
	close(c)
	return c
}
