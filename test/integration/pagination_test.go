package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// allOrders lists all orders of tasks.
func allOrders() (out []testclient.Vars) {
	for _, field := range []string{"NUMBER", "CREATED_AT", "UPDATED_AT", "DUE", "PRIORITY", "TITLE"} {
		for _, direction := range []string{"ASC", "DESC"} {
			out = append(out, testclient.Vars{"field": field, "direction": direction})
		}
	}
	return out
}

// createTasks creates tasks, many of which have equal sort keys.
func createTasks(t *testing.T, c *testclient.Client, n int) {
	t.Helper()
	for i := range n {
		in := testclient.Vars{"title": fmt.Sprint("title ", i%3), "priority": []string{"LOW", "URGENT"}[i%2]}
		switch i % 4 {
		case 0:
			in["dueOn"] = "2031-01-01"
		case 1:
			in["dueAt"] = fmt.Sprintf("2031-01-0%dT10:00:00Z", 1+i%2)
		}
		harness.CreateTask(t, c, in)
	}
}

// TestPagination_EveryOrder_ForwardEqualsBackward reads every order page by page in both directions and
// checks that both return each task exactly once in the same order.
func TestPagination_EveryOrder_ForwardEqualsBackward(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		createTasks(t, c, 23)
		for _, by := range allOrders() {
			all := numbers(harness.ListTasks(t, c, testclient.Vars{"first": 100, "by": by}))
			require.Len(t, all, 23)
			require.Len(t, unique(all), 23)
			require.Equal(t, all, collectPages(t, c, testclient.Vars{"by": by, "first": 5}), "forward by %v", by)
			require.Equal(t, all, collectPages(t, c, testclient.Vars{"by": by, "last": 5}), "backward by %v", by)
		}
		up := numbers(harness.ListTasks(t, c, testclient.Vars{"first": 100, "by": testclient.Vars{
			"field":     "PRIORITY",
			"direction": "ASC",
		}}))
		down := numbers(harness.ListTasks(t, c, testclient.Vars{"first": 100, "by": testclient.Vars{
			"field":     "PRIORITY",
			"direction": "DESC",
		}}))
		slices.Reverse(down)
		require.Equal(t, up, down, "one direction is the other one reversed")
	})
}

func numbers(p harness.TaskPage) (out []int) {
	for _, one := range p.Tasks() {
		out = append(out, one.Number)
	}
	return out
}

func unique(list []int) []int {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// collectPages reads a list page by page from one end to the other.
func collectPages(t *testing.T, c *testclient.Client, args testclient.Vars) (out []int) {
	t.Helper()
	_, forward := args["first"]
	for range 100 {
		p := harness.ListTasks(t, c, args)
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

// TestPagination_ListChanges_NoRowSkippedOrRepeated checks that a cursor denotes a position, not a count.
func TestPagination_ListChanges_NoRowSkippedOrRepeated(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		createTasks(t, c, 6)
		by := testclient.Vars{"field": "NUMBER", "direction": "ASC"}
		first := harness.ListTasks(t, c, testclient.Vars{"first": 3, "by": by})
		harness.ChangeTask(t, c, "deleteTask", first.Edges[2].Node.ID) // the very task that the cursor was taken from
		harness.CreateTask(t, c, testclient.Vars{"title": "late"})
		require.Equal(
			t,
			[]int{4, 5, 6, 7},
			numbers(harness.ListTasks(t, c, testclient.Vars{"first": 10, "by": by, "after": first.Edges[2].Cursor})),
		)
		between := testclient.Vars{"first": 10, "by": by, "after": first.Edges[0].Cursor, "before": first.Edges[2].Cursor}
		require.Equal(t, []int{2}, numbers(harness.ListTasks(t, c, between)))
		require.Equal(t, []int{7, 6}, numbers(harness.ListTasks(t, c, testclient.Vars{"first": 2})),
			"newest first by default")
	})
}

func TestPagination_InvalidArguments_AreRejected(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		createTasks(t, c, 3)
		harness.Send(t, c, "", "Hello")
		byTitle := harness.ListTasks(t, c, testclient.Vars{"by": testclient.Vars{"field": "TITLE"}}).Edges[0].Cursor
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
				harness.RequireErrorCode(t, "BAD_USER_INPUT "+one.want, c.Try(t, `{ `+list+`(`+one.args+`) { nodes { id } } }`,
					nil))
			}
			for _, document := range []string{
				`{ tasks { nodes { changes(` + one.args + `) { nodes { id } } } } }`,
				`{ conversations { nodes { messages(` + one.args + `) { nodes { id } } } } }`,
			} {
				harness.RequireErrorCode(t, "BAD_USER_INPUT "+one.want, c.Try(t, document, nil))
			}
		}
		harness.RequireErrorCode(
			t,
			"BAD_USER_INPUT after",
			c.Try(t, `query ($c: Cursor) { tasks(after: $c) { nodes { id } } }`, testclient.Vars{"c": byTitle}),
		)
		harness.RequireErrorCode(
			t,
			"BAD_USER_INPUT ids",
			c.Try(t, `query ($ids: [ID!]!) { nodes(ids: $ids) { id } }`, testclient.Vars{"ids": make([]string, 101)}),
		)
	})
}

func TestTasks_Filters_SelectMatching(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		require.Empty(
			t,
			c.Try(t, `mutation { updateViewer(input: {timeZone: "America/New_York"}) { viewer { id } } }`, nil).Errors,
		)
		harness.CreateTask(t, c, testclient.Vars{
			"title": "Buy ÄPFEL", "description": "from the Market",
			"labels": []string{"home", `q"uote`},
		})
		harness.CreateTask(t, c, testclient.Vars{"title": "100% of_it", "priority": "HIGH", "dueOn": "2031-01-01"})
		done := harness.CreateTask(
			t,
			c,
			testclient.Vars{
				"title": "Market day", "priority": "LOW", "dueAt": "2031-01-02T04:59:59Z",
				"labels": []string{"homework"},
			},
		)
		harness.CreateTask(t, c, testclient.Vars{"title": "Next", "dueAt": "2031-01-02T05:00:00Z"})
		harness.ChangeTask(t, c, "completeTask", done.ID)
		for _, one := range []struct {
			filter testclient.Vars
			want   []int
		}{
			{nil, []int{1, 2, 3, 4}},
			{testclient.Vars{}, []int{1, 2, 3, 4}},
			{testclient.Vars{"status": "ALL"}, []int{1, 2, 3, 4}},
			{testclient.Vars{"status": "PENDING"}, []int{1, 2, 4}},
			{testclient.Vars{"status": "COMPLETED"}, []int{3}},
			{testclient.Vars{"search": "market"}, []int{1, 3}},
			{testclient.Vars{"search": "MARKET buy"}, []int{1}},
			{testclient.Vars{"search": "äpfel"}, []int{1}},
			{testclient.Vars{"search": "%"}, []int{2}},
			{testclient.Vars{"search": "of_i"}, []int{2}},
			{testclient.Vars{"search": "f_i"}, nil},
			{testclient.Vars{"search": "apfel"}, []int{1}},
			{testclient.Vars{"search": "  "}, []int{1, 2, 3, 4}},
			{testclient.Vars{"search": "'"}, nil},
			{testclient.Vars{"label": "home"}, []int{1}},
			{testclient.Vars{"label": `q"uote`}, []int{1}},
			{testclient.Vars{"label": "ho"}, nil},
			{testclient.Vars{"priority": []string{"HIGH", "LOW"}}, []int{2, 3}},
			{testclient.Vars{"priority": "NONE"}, []int{1, 4}},
			{testclient.Vars{"priority": []string{}}, []int{1, 2, 3, 4}},
			{testclient.Vars{"dueFrom": "2031-01-01"}, []int{2, 3, 4}},
			{testclient.Vars{"dueTo": "2031-01-01"}, []int{2, 3}},
			{testclient.Vars{"dueFrom": "2031-01-02"}, []int{4}},
			{testclient.Vars{"dueFrom": "2031-01-02", "dueTo": "2031-01-01"}, nil},
			{testclient.Vars{
				"status": "COMPLETED", "search": "market", "label": "homework", "priority": "LOW",
				"dueTo": "2031-01-01",
			}, []int{3}},
			{testclient.Vars{"trashed": true}, nil},
			{testclient.Vars{"trashed": nil, "status": nil, "search": nil, "label": nil, "priority": nil}, []int{1, 2, 3, 4}},
		} {
			p := harness.ListTasks(t, c, testclient.Vars{"filter": one.filter, "by": testclient.Vars{
				"field":     "NUMBER",
				"direction": "ASC",
			}})
			require.Equal(t, one.want, numbers(p), "%v", one.filter)
			require.Equal(t, len(one.want), p.TotalCount, "%v", one.filter)
		}
		requireField(t, "dueFrom", c.Try(t, harness.TasksDoc,
			testclient.Vars{"filter": testclient.Vars{"dueFrom": "2031-02-30"}}))
		harness.RequireErrorCode(t, "BAD_USER_INPUT search", c.Try(t, harness.TasksDoc,
			testclient.Vars{"filter": testclient.Vars{"search": repeatEmoji(201)}}))
		harness.RequireErrorCode(t, "BAD_USER_INPUT search", c.Try(t, harness.TasksDoc,
			testclient.Vars{"filter": testclient.Vars{"search": strings.Repeat("a ", 21)}}))
		require.Empty(t, c.Try(t, harness.TasksDoc, testclient.Vars{"filter": testclient.Vars{"search": strings.Repeat("a ",
			20)}}).Errors)
	})
}

// TestTasks_DueOrder_PutsUndatedLast checks that a due day sorts by its end among instants, and that tasks
// without a due date are last.
func TestTasks_DueOrder_PutsUndatedLast(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		for _, in := range []testclient.Vars{
			{"title": "never"},
			{"title": "day", "dueOn": "2031-01-01"},
			{"title": "evening", "dueAt": "2031-01-01T20:00:00Z"},
			{"title": "next", "dueAt": "2031-01-02T00:00:00Z"},
			{"title": "before", "dueOn": "2030-12-31"},
		} {
			harness.CreateTask(t, c, in)
		}
		due := func(direction string) []string {
			return harness.Titles(harness.ListTasks(t, c, testclient.Vars{"by": testclient.Vars{
				"field":     "DUE",
				"direction": direction,
			}}).Tasks())
		}
		require.Equal(t, []string{"before", "evening", "day", "next", "never"}, due("ASC"))
		require.Equal(t, []string{"never", "next", "day", "evening", "before"}, due("DESC"))
	})
}

// TestNode_EveryType_IsFoundByID reads nodes one by one and in a batch, which keeps the requested order.
func TestNode_EveryType_IsFoundByID(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		conversation := &harness.Conversation{Client: b.Client(t, "alice")}
		reply := conversation.SendAndWait(t, "Add a task to buy groceries")
		h := harness.ListChanges(t, conversation.Client, 1)
		viewer := harness.ViewerID(t, conversation.Client)
		want := map[string]string{
			viewer: "User", h.ID: "Task", h.Changes.Nodes[0].ID: "TaskChange", conversation.ID: "Conversation",
			reply.ID:              "Message",
			reply.ToolCalls[0].ID: "ToolCall",
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
			conversation.Client,
			`query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }`,
			testclient.Vars{"ids": ids},
		).Nodes
		require.Len(t, found, len(ids))
		for i, id := range ids {
			one := testclient.Run[struct{ Node *node }](
				t,
				conversation.Client,
				`query ($id: ID!) { node(id: $id) { __typename id } }`,
				testclient.Vars{"id": id},
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
