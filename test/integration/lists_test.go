package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// orders are all ways in which tasks can be sorted.
func orders() (out []vars) {
	for _, field := range []string{"NUMBER", "CREATED_AT", "UPDATED_AT", "DUE", "PRIORITY", "TITLE"} {
		for _, direction := range []string{"ASC", "DESC"} {
			out = append(out, vars{"field": field, "direction": direction})
		}
	}
	return out
}

// crowd makes tasks many of which are equal in what they are sorted by.
func crowd(t *testing.T, c *client, n int) {
	t.Helper()
	for i := range n {
		in := vars{"title": fmt.Sprint("title ", i%3), "priority": []string{"LOW", "URGENT"}[i%2]}
		switch i % 4 {
		case 0:
			in["dueOn"] = "2031-01-01"
		case 1:
			in["dueAt"] = fmt.Sprintf("2031-01-0%dT10:00:00Z", 1+i%2)
		}
		createTask(t, c, in)
	}
}

// TestEveryOrderIsWalkedForwardAndBackward: page by page either way, each task comes exactly
// once, and both ways give the same list.
func TestEveryOrderIsWalkedForwardAndBackward(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		crowd(t, c, 23)
		for _, by := range orders() {
			whole := numbers(listTasks(t, c, vars{"first": 100, "by": by}))
			require.Len(t, whole, 23)
			require.Len(t, distinct(whole), 23)
			require.Equal(t, whole, walk(t, c, vars{"by": by, "first": 5}), "forward by %v", by)
			require.Equal(t, whole, walk(t, c, vars{"by": by, "last": 5}), "backward by %v", by)
		}
		up := numbers(listTasks(t, c, vars{"first": 100, "by": vars{"field": "PRIORITY", "direction": "ASC"}}))
		down := numbers(listTasks(t, c, vars{"first": 100, "by": vars{"field": "PRIORITY", "direction": "DESC"}}))
		slices.Reverse(down)
		require.Equal(t, up, down, "one direction is the other one reversed")
	})
}

func numbers(p taskPage) (out []int) {
	for _, one := range p.tasks() {
		out = append(out, one.Number)
	}
	return out
}

func distinct(list []int) []int {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// walk reads a list from one end to the other, page by page.
func walk(t *testing.T, c *client, args vars) (out []int) {
	t.Helper()
	_, forward := args["first"]
	for range 100 {
		p := listTasks(t, c, args)
		require.Equal(t, 23, p.TotalCount)
		require.Equal(t, p.Edges[0].Cursor, *p.PageInfo.StartCursor)
		require.Equal(t, p.Edges[len(p.Edges)-1].Cursor, *p.PageInfo.EndCursor)
		if forward {
			out, args["after"] = append(out, numbers(p)...), *p.PageInfo.EndCursor
			if !p.PageInfo.HasNextPage {
				return out
			}
		} else {
			out, args["before"] = append(numbers(p), out...), *p.PageInfo.StartCursor
			if !p.PageInfo.HasPreviousPage {
				return out
			}
		}
	}
	require.Fail(t, "the list has no end")
	return nil
}

// TestPagesStayInStepWhileTheListChanges: a cursor names a place, not a count.
func TestPagesStayInStepWhileTheListChanges(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		crowd(t, c, 6)
		by := vars{"field": "NUMBER", "direction": "ASC"}
		first := listTasks(t, c, vars{"first": 3, "by": by})
		changeTask(t, c, "deleteTask", first.Edges[2].Node.ID) // the very task that the cursor was taken from
		createTask(t, c, vars{"title": "late"})
		require.Equal(
			t,
			[]int{4, 5, 6, 7},
			numbers(listTasks(t, c, vars{"first": 10, "by": by, "after": first.Edges[2].Cursor})),
		)
		between := vars{"first": 10, "by": by, "after": first.Edges[0].Cursor, "before": first.Edges[2].Cursor}
		require.Equal(t, []int{2}, numbers(listTasks(t, c, between)))
		require.Equal(t, []int{7, 6}, numbers(listTasks(t, c, vars{"first": 2})), "newest first by default")
	})
}

func TestBadPages(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		crowd(t, c, 3)
		send(t, c, "", "Hello")
		byTitle := listTasks(t, c, vars{"by": vars{"field": "TITLE"}}).Edges[0].Cursor
		for _, one := range []struct {
			args string
			want string
		}{
			{`first: 0`, "first"},
			{`first: -1`, "first"},
			{`first: 101`, "first"},
			{`last: 0`, "last"},
			{`last: 101`, "last"},
			{`first: 1, last: 1`, "first"},
			{`after: "x"`, "after"},
			{`after: ""`, "after"},
			{`before: "e30"`, "before"},
			{`first: 1, after: "eyJsIjoidGFza3MiLCJrIjpbXX0"`, "after"},
		} {
			for _, list := range []string{"tasks", "conversations"} {
				requireFault(t, "BAD_USER_INPUT "+one.want, c.Try(t, `{ `+list+`(`+one.args+`) { nodes { id } } }`, nil))
			}
			for _, document := range []string{
				`{ tasks { nodes { changes(` + one.args + `) { nodes { id } } } } }`,
				`{ conversations { nodes { messages(` + one.args + `) { nodes { id } } } } }`,
			} {
				requireFault(t, "BAD_USER_INPUT "+one.want, c.Try(t, document, nil))
			}
		}
		requireFault(
			t,
			"BAD_USER_INPUT after",
			c.Try(t, `query ($c: Cursor) { tasks(after: $c) { nodes { id } } }`, vars{"c": byTitle}),
		)
		requireFault(
			t,
			"BAD_USER_INPUT ids",
			c.Try(t, `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`, vars{"ids": make([]string, 101)}),
		)
	})
}

func TestFilters(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		require.Empty(
			t,
			c.Try(t, `mutation { updateViewer(input: {timeZone: "America/New_York"}) { viewer { id } } }`, nil).Errors,
		)
		createTask(t, c, vars{"title": "Buy ÄPFEL", "description": "from the Market", "labels": []string{"home", `q"uote`}})
		createTask(t, c, vars{"title": "100% of_it", "priority": "HIGH", "dueOn": "2031-01-01"})
		done := createTask(
			t,
			c,
			vars{"title": "Market day", "priority": "LOW", "dueAt": "2031-01-02T04:59:59Z", "labels": []string{"homework"}},
		)
		createTask(t, c, vars{"title": "Next", "dueAt": "2031-01-02T05:00:00Z"})
		changeTask(t, c, "completeTask", done.ID)
		for _, one := range []struct {
			filter vars
			want   []int
		}{
			{nil, []int{1, 2, 3, 4}},
			{vars{}, []int{1, 2, 3, 4}},
			{vars{"status": "ALL"}, []int{1, 2, 3, 4}},
			{vars{"status": "PENDING"}, []int{1, 2, 4}},
			{vars{"status": "COMPLETED"}, []int{3}},
			{vars{"search": "market"}, []int{1, 3}},
			{vars{"search": "MARKET buy"}, []int{1}},
			{vars{"search": "äpfel"}, []int{1}},
			{vars{"search": "%"}, []int{2}},
			{vars{"search": "f_i"}, []int{2}},
			{vars{"search": "  "}, []int{1, 2, 3, 4}},
			{vars{"search": "'"}, nil},
			{vars{"label": "home"}, []int{1}},
			{vars{"label": `q"uote`}, []int{1}},
			{vars{"label": "ho"}, nil},
			{vars{"priority": []string{"HIGH", "LOW"}}, []int{2, 3}},
			{vars{"priority": "NONE"}, []int{1, 4}},
			{vars{"priority": []string{}}, []int{1, 2, 3, 4}},
			{vars{"dueFrom": "2031-01-01"}, []int{2, 3, 4}},
			{vars{"dueTo": "2031-01-01"}, []int{2, 3}},
			{vars{"dueFrom": "2031-01-02"}, []int{4}},
			{vars{"dueFrom": "2031-01-02", "dueTo": "2031-01-01"}, nil},
			{vars{"status": "COMPLETED", "search": "market", "label": "homework", "priority": "LOW", "dueTo": "2031-01-01"}, []int{3}},
			{vars{"trashed": true}, nil},
			{vars{"trashed": nil, "status": nil, "search": nil, "label": nil, "priority": nil}, []int{1, 2, 3, 4}},
		} {
			p := listTasks(t, c, vars{"filter": one.filter, "by": vars{"field": "NUMBER", "direction": "ASC"}})
			require.Equal(t, one.want, numbers(p), "%v", one.filter)
			require.Equal(t, len(one.want), p.TotalCount, "%v", one.filter)
		}
		requireField(t, "dueFrom", c.Try(t, tasksDoc, vars{"filter": vars{"dueFrom": "2031-02-30"}}))
		requireFault(t, "BAD_USER_INPUT search", c.Try(t, tasksDoc, vars{"filter": vars{"search": times(201)}}))
		requireFault(t, "BAD_USER_INPUT search", c.Try(t, tasksDoc, vars{"filter": vars{"search": strings.Repeat("a ", 21)}}))
		require.Empty(t, c.Try(t, tasksDoc, vars{"filter": vars{"search": strings.Repeat("a ", 20)}}).Errors)
	})
}

// TestDueOrder: a day counts by its end, in order with instants; no date comes last.
func TestDueOrder(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		c := b.user(t, "alice")
		for _, in := range []vars{
			{"title": "never"},
			{"title": "day", "dueOn": "2031-01-01"},
			{"title": "evening", "dueAt": "2031-01-01T20:00:00Z"},
			{"title": "next", "dueAt": "2031-01-02T00:00:00Z"},
			{"title": "before", "dueOn": "2030-12-31"},
		} {
			createTask(t, c, in)
		}
		due := func(direction string) []string {
			return titles(listTasks(t, c, vars{"by": vars{"field": "DUE", "direction": direction}}).tasks())
		}
		require.Equal(t, []string{"before", "evening", "day", "next", "never"}, due("ASC"))
		require.Equal(t, []string{"never", "next", "day", "evening", "before"}, due("DESC"))
	})
}

// TestEveryNodeIsFoundByItsID, alone and together with others, in the order asked for.
func TestEveryNodeIsFoundByItsID(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		k := &talk{c: b.user(t, "alice")}
		reply := k.say(t, "Add a task to buy groceries")
		h := historyOf(t, k.c, 1)
		viewer := testclient.Run[struct{ Viewer struct{ ID string } }](t, k.c, `{ viewer { id } }`, nil).Viewer.ID
		want := map[string]string{
			viewer: "User", h.ID: "Task", h.Changes.Nodes[0].ID: "TaskChange", k.id: "Conversation", reply.ID: "Message", reply.ToolCalls[0].ID: "ToolCall",
		}
		ids := []string{"", "x", "task_01jd0000000000000000000000", "run_01jd0000000000000000000000"}
		for id := range want {
			ids = append(ids, id, "nothing")
		}
		ids = append(ids, ids...) // the same ones twice
		type node struct {
			Kind string `json:"__typename"`
			ID   string
		}
		found := testclient.Run[struct{ Nodes []*node }](
			t,
			k.c,
			`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`,
			vars{"ids": ids},
		).Nodes
		require.Len(t, found, len(ids))
		for i, id := range ids {
			one := testclient.Run[struct{ Node *node }](
				t,
				k.c,
				`query ($id: ID!) { node(id: $id) { __typename id } }`,
				vars{"id": id},
			).Node
			require.Equal(t, one, found[i])
			if want[id] == "" {
				require.Nil(t, one, "%q", id)
				continue
			}
			require.Equal(t, node{Kind: want[id], ID: id}, *one)
		}
	})
}
