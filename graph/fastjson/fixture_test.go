package fastjson_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"time"

	"errand/ent"
	"errand/graph/generated"
	"errand/graph/model"
	"errand/internal/apperr"
	"errand/internal/page"
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
	tokens                 []*ent.APIToken
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
		f.messages[i].Edges.Conversation = f.conversations[i]
		f.calls = append(f.calls, row(r, &ent.ToolCall{}, "call", i))
		f.tokens = append(f.tokens, row(r, &ent.APIToken{}, "token", i))
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
