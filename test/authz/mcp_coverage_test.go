package authz

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// coveredCapabilities are the MCP capabilities that the matrix attacks. Any other capability of the server fails the
// test.
var coveredCapabilities = []string{"tools", "prompts", "resources", "resources.subscribe", "resources.listChanged"}

// unreachableOutput are the members of tool results for which the matrix gets no value, each with the reason why that
// is not a gap.
var unreachableOutput = map[string]string{
	"add_task.results.choices":        "a new task names none",
	"add_task.results.choices.number": "the same",
	"add_task.results.choices.title":  "the same",
}

// TestMCPMatrix_EveryCapability_IsCovered checks that the MCP attacks are complete: for the owner, everything that
// the server lists succeeds and has values. A new tool, result member, template, prompt or capability that the matrix
// does not reach fails this test.
func TestMCPMatrix_EveryCapability_IsCovered(t *testing.T) {
	t.Parallel()
	env := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, env, false)
	for _, variant := range mcpVariants {
		session := m.connectMCP(t, variant, m.attacker)
		for _, capability := range capabilityPaths(t, session.InitializeResult().Capabilities) {
			require.Contains(t, coveredCapabilities, capability, "%s: the matrix does not attack this capability", variant)
		}
		for what, answer := range session.snapshot(t) { // snapshot fails for templates without own values
			require.False(t, isError(answer), "%s: %s: %s", variant, what, answer)
		}
		listed := resultText(t, session.listPages(t), nil)
		for _, kind := range []string{
			"errand://tasks/open", "errand://tasks/1",
			"errand://conversations/" + m.attacker.conversation,
		} {
			require.Contains(t, listed, kind)
		}
		session.exerciseTools(t)
	}
}

// capabilityPaths returns the capabilities of the server as dotted paths.
func capabilityPaths(t *testing.T, capabilities *sdk.ServerCapabilities) (out []string) {
	t.Helper()
	text, err := json.Marshal(capabilities)
	require.NoError(t, err)
	var offered map[string]map[string]any
	require.NoError(t, json.Unmarshal(text, &offered))
	for name, details := range offered {
		out = append(out, name)
		for detail, on := range details {
			if on != false {
				out = append(out, name+"."+detail)
			}
		}
	}
	return out
}

// exerciseTools calls every tool with the owner's values and checks that each member of its result has had a value.
func (session *mcpSession) exerciseTools(t *testing.T) {
	t.Helper()
	listed, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.NotEmpty(t, listed.Tools)
	for _, tool := range listed.Tools {
		seen := map[string]bool{}
		for _, due := range []string{"due_on", "due_at"} { // a task has one of them
			session.recordCall(t, tool.Name, session.fullArguments(t, tool, due), seen)
		}
		for _, args := range session.furtherArguments(t, tool) {
			session.recordCall(t, tool.Name, args, seen)
		}
		for _, member := range schemaMembers(tool.Name, tool.OutputSchema) {
			if unreachableOutput[member] == "" {
				require.True(t, seen[member], "%s: the matrix gets no value for %s: extend the fixture, or list it with a reason",
					session.mcpVariant, member)
			} else {
				require.False(t, seen[member], "%s has a value: remove it from unreachableOutput", member)
			}
		}
	}
}

// recordCall adds to into the members of the result of a successful call.
func (session *mcpSession) recordCall(t *testing.T, tool string, args testclient.Vars, into map[string]bool) {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	require.NoError(t, err)
	require.False(t, result.IsError, "%s: %s", tool, resultText(t, result, nil))
	recordMembers(tool, result.StructuredContent, into)
}

// furtherArguments returns arguments for results that fullArguments does not get: those of several tasks, of which one
// is uncertain, and those of a search without a match.
func (session *mcpSession) furtherArguments(t *testing.T, tool *sdk.Tool) []testclient.Vars {
	t.Helper()
	properties := tool.InputSchema.(map[string]any)["properties"].(map[string]any)
	switch {
	case tool.Name == "list_tasks":
		for _, due := range []testclient.Vars{{"dueOn": "2026-12-24"}, {"dueAt": "2026-12-24T10:00:00Z"}} {
			due["title"], due["description"], due["labels"] = "Compost heap", "Turn it", []string{"garden"}
			made := harness.CreateTask(t, session.owner.Client, due)
			session.callTool(t, "complete_task", testclient.Vars{"number": made.Number})
		}
		return []testclient.Vars{{"search": "Compost"}, {"status": "completed"}} // the search is one of pending tasks
	case tool.Name == "get_task":
		done := testclient.Vars{"number": session.owner.numbers[0]}
		session.callTool(t, "complete_task", done)
		return []testclient.Vars{done}
	case tool.Name == "recent_changes":
		session.callTool(t, "update_task", testclient.Vars{"number": session.owner.numbers[0], "title": "Another title"})
		session.callTool(t, "update_task", testclient.Vars{"number": session.owner.numbers[0], "title": "One more title"})
		return []testclient.Vars{{}}
	case tool.Name == "undo":
		edited := harness.CreateTask(t, session.owner.Client, testclient.Vars{"title": "Edited since"})
		session.callTool(t, "update_task", testclient.Vars{"number": edited.Number, "title": "A title", "priority": "low"})
		testclient.Run[any](t, session.owner.Client,
			`mutation ($id: ID!) { updateTask(input: {id: $id, title: "By hand"}) { task { id } } }`,
			testclient.Vars{"id": edited.ID})
		return []testclient.Vars{{}}
	case tool.Name == "add_task":
		return []testclient.Vars{{"tasks": []testclient.Vars{{"title": "One"}, {"title": "Two", "due": "no day"}}}}
	case properties["tasks"] == nil:
		return nil
	}
	made := harness.CreateTask(t, session.owner.Client, testclient.Vars{"title": "Dig " + tool.Name})
	for _, title := range []string{"Allotment gate", "Allotment fence"} {
		harness.CreateTask(t, session.owner.Client, testclient.Vars{"title": title})
	}
	args := testclient.Vars{"tasks": []string{fmt.Sprint(made.Number), "Allotment"}}
	if properties["title"] != nil {
		args["title"] = "Dig deeper"
	}
	return []testclient.Vars{args}
}

// fullArguments creates a task with all fields set and returns every argument of a tool for it, except those that
// exclude another. A read-only tool gets the task alone, if it takes one.
func (session *mcpSession) fullArguments(t *testing.T, tool *sdk.Tool, due string) testclient.Vars {
	t.Helper()
	dates := testclient.Vars{"due_on": "2026-12-24", "due_at": "2026-12-24T10:00:00Z"}
	fields := map[string]string{"due_on": "dueOn", "due_at": "dueAt"}
	own := testclient.Vars{"title": "All of it", "description": "All of it", "labels": []string{"all"}, "priority": "high"}
	made := harness.CreateTask(t, session.owner.Client, testclient.Vars{
		"title": own["title"], "description": own["description"], "labels": own["labels"], fields[due]: dates[due],
	})
	own["number"], own["due"], own["time_zone"] = made.Number, dates[due], "Europe/Berlin"
	args := testclient.Vars{}
	for name := range tool.InputSchema.(map[string]any)["properties"].(map[string]any) {
		if value, ok := own[name]; ok && (name == "number" || !tool.Annotations.ReadOnlyHint) {
			args[name] = value
		}
	}
	return args
}

// schemaMembers returns the paths of all members that a JSON Schema describes.
func schemaMembers(at string, schema any) (out []string) {
	of, _ := schema.(map[string]any)
	if items, ok := of["items"]; ok {
		return schemaMembers(at, items)
	}
	properties, _ := of["properties"].(map[string]any)
	for name, property := range properties {
		out = append(append(out, at+"."+name), schemaMembers(at+"."+name, property)...)
	}
	slices.Sort(out)
	return out
}

// recordMembers adds to into the paths of the members that are not null.
func recordMembers(at string, value any, into map[string]bool) {
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			recordMembers(at, one, into)
		}
	case map[string]any:
		for name, member := range value {
			if member != nil {
				into[at+"."+name] = true
			}
			recordMembers(at+"."+name, member, into)
		}
	}
}
