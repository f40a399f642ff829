package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/enum"
	"errand/graph/generated"
	"errand/internal/testclient"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// listSelections holds, by type, the queries that read rows with selected columns.
var listSelections = map[string]string{
	"Task":         `{ tasks(first: 10) { nodes { id %s } } }`,
	"TaskChange":   `{ tasks(first: 10) { nodes { changes(first: 10) { nodes { id %s } } } } }`,
	"Conversation": `{ conversations(first: 10) { nodes { id %s } } }`,
	"Message":      `{ conversations(first: 10) { nodes { messages(first: 10) { nodes { id %s } } } } }`,
}

// nullInLists are the fields that are null in the rows of these lists.
var nullInLists = []string{"deletedAt", "archivedAt", "unverifiedReason"}

// TestList_SingleFieldSelected_EqualsFullRow compares each field selected alone, for which a list reads few
// columns, with the full row of node(id:).
func TestList_SingleFieldSelected_EqualsFullRow(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		createFullRows(t, b, c)
		schema := generated.NewExecutableSchema(generated.Config{}).Schema()
		for name, list := range listSelections {
			compared := 0
			for _, f := range schema.Types[name].Fields {
				selection, ok := selectSingleField(schema, f)
				if !ok {
					continue
				}
				for _, row := range rowsOf(c.Try(t, fmt.Sprintf(list, selection), nil).Data, f.Name) {
					full := c.Try(
						t,
						`query ($id: ID!) { node(id: $id) { id ... on `+name+` { `+selection+` } } }`,
						testclient.Vars{"id": row["id"]},
					)
					require.Empty(t, full.Errors)
					require.Equal(t, rowsOf(full.Data, f.Name)[0], row, "%s.%s", name, f.Name)
					require.True(
						t,
						row[f.Name] != nil || slices.Contains(nullInLists, f.Name),
						"%s.%s must have a value in every row",
						name,
						f.Name,
					)
					compared++
				}
			}
			require.GreaterOrEqual(t, compared, 5, name)
		}
	}, harness.GenerousLimits)
}

// TestList_SharedFragment_ReadsOwnColumns selects different fields beside the same fragment in several
// places.
func TestList_SharedFragment_ReadsOwnColumns(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		createFullRows(t, b, c)
		for range 20 { // the places are answered at the same time
			a := c.Try(
				t,
				`{ a: tasks { nodes { ...T } } b: tasks { nodes { ...T changes { nodes { kind client } } } }
				c: tasks { nodes { ...T } }
				d: conversations { nodes { ...C } } 
				e: conversations(first: 9) { nodes { ...C messages { nodes { content model: usage { model } } } } }
				f: conversations { nodes { ...C } } }
				fragment T on Task { changes { nodes { id } } } fragment C on Conversation { messages { nodes { id } } }`,
				nil,
			)
			require.Empty(t, a.Errors)
			require.Contains(t, string(a.Data), `"kind":"CREATED","client":"c"`)
			require.Contains(t, string(a.Data), `"content":"text","model":{"model":"rules/rules"}`)
		}
	})
}

// selectSingleField returns a selection of a field with its scalar subfields.
func selectSingleField(schema *ast.Schema, f *ast.FieldDefinition) (string, bool) {
	below := schema.Types[f.Type.Name()]
	if strings.HasPrefix(f.Name, "__") || !below.IsCompositeType() {
		return f.Name, !strings.HasPrefix(f.Name, "__")
	}
	var plain []string
	for _, inner := range below.Fields {
		if !schema.Types[inner.Type.Name()].IsCompositeType() && !strings.HasPrefix(inner.Name, "__") {
			plain = append(plain, inner.Name)
		}
	}
	return f.Name + " { " + strings.Join(plain, " ") + " }", len(plain) > 0
}

// rowsOf returns the objects of a response that contain the field and an id.
func rowsOf(data json.RawMessage, field string) (rows []map[string]any) {
	var value any
	_ = json.Unmarshal(data, &value)
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if _, ok := v[field]; ok && v["id"] != nil {
				rows = append(rows, v)
				return
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(value)
	return rows
}

// createFullRows creates rows with a value in every column.
func createFullRows(t *testing.T, b *harness.Env, c *testclient.Client) {
	t.Helper()
	me := testclient.Run[struct{ Viewer struct{ ID string } }](t, c, `{ viewer { id } }`, nil).Viewer.ID
	ctx, root, now := viewer.NewContext(context.Background(), viewer.Viewer{UserID: me}), b.SystemClient(t), time.Now()
	conversation := root.Conversation.Create().SetTitle("talk").SetMessageCount(1).SaveX(ctx)
	message := root.Message.Create().
		SetConversationID(conversation.ID).
		SetPosition(1).
		SetRole(enum.RoleAssistant).
		SetContent("text").
		SetStatus(enum.MessageFailed).
		SetErrorCode("RATE_LIMITED").
		SetRetryAt(now).
		SetModel("rules/rules").
		SetInputTokens(1).
		SetOutputTokens(2).
		SetCachedTokens(3).
		SetCostNanos(4).
		SetFinishedAt(now).
		SaveX(ctx)
	call := root.ToolCall.Create().
		SetMessageID(message.ID).
		SetName("add_task").
		SetProviderID("p").
		SetArguments("{}").
		SetResult("{}").
		SetSeq(0).
		SetStep(0).
		SetTextOffset(0).
		SetLatencyMs(5).
		SaveX(ctx)
	task := root.Task.Create().
		SetNumber(1).
		SetTitle("task").
		SetDescription("more").
		SetDueOn("2031-01-01").
		SetDueAt(now).
		SetCompletedAt(now).
		SetLabels([]string{"a"}).
		SetVersion(1).
		SaveX(ctx)
	change := func(version int) *ent.TaskChangeCreate {
		return root.TaskChange.Create().
			SetTaskID(task.ID).
			SetSeq(version).
			SetTaskVersion(version).
			SetKind(enum.ChangeCreated).
			SetActor(enum.ActorAgent).
			SetClient("c").
			SetToolCallID(call.ID).
			SetBatchID(call.MessageID).
			SetFields([]enum.FieldChange{{Name: "title"}})
	}
	undone := change(2).SaveX(ctx)
	change(1).SetUndoes(undone.ID).ExecX(ctx)
	root.TaskChange.DeleteOne(undone).ExecX(ctx)
}
