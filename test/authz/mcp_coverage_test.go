package authz

import (
	"encoding/json"
	"slices"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// coveredCapabilities are the protocol's capabilities that the matrix attacks. A server that offers another one
// fails the test until the matrix attacks that, too.
var coveredCapabilities = []string{"tools", "prompts", "resources", "resources.subscribe", "resources.listChanged"}

// unreachableOutput are members of tools' results in which the matrix finds nothing, each with the reason
// why that is no hole.
var unreachableOutput = map[string]string{}

// TestMCPMatrix_EveryCapability_IsCovered is what makes the attacks complete: run by the owner, everything that
// the server lists works and is full. A new tool, member of a result, template, prompt or capability
// that the matrix does not reach fails here.
func TestMCPMatrix_EveryCapability_IsCovered(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t), harness.GenerousLimits)
	m := newAuthzMatrix(t, b, false)
	for _, w := range mcpRoutes {
		d := m.connectAssistant(t, w, m.mallory)
		for _, capability := range flattenCapabilities(t, d.InitializeResult().Capabilities) {
			require.Contains(t, coveredCapabilities, capability, "%s: the matrix does not attack this capability", w)
		}
		for what, answer := range d.snapshot(t) { // templates that are out of reach fail in there
			require.False(t, isError(answer), "%s: %s: %s", w, what, answer)
		}
		listed := resultText(t, d.listPages(t), nil)
		for _, kind := range []string{"errand://tasks/open", "errand://tasks/1", "errand://conversations/" + m.mallory.conversation} {
			require.Contains(t, listed, kind)
		}
		d.exerciseTools(t)
	}
}

// flattenCapabilities are the capabilities that are offered, as paths.
func flattenCapabilities(t *testing.T, capabilities *sdk.ServerCapabilities) (out []string) {
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

// exerciseTools uses every tool on things of the person's own until each member of its result held something.
func (d *assistantSession) exerciseTools(t *testing.T) {
	t.Helper()
	listed, err := d.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.NotEmpty(t, listed.Tools)
	for _, tool := range listed.Tools {
		seen := map[string]bool{}
		for _, due := range []string{"due_on", "due_at"} { // a task has one of them
			result, err := d.CallTool(t.Context(), &sdk.CallToolParams{Name: tool.Name, Arguments: d.fullArguments(t, tool, due)})
			require.NoError(t, err)
			require.False(t, result.IsError, "%s: %s", tool.Name, resultText(t, result, nil))
			recordMembers(tool.Name, result.StructuredContent, seen)
		}
		for _, member := range schemaMembersOf(tool.Name, tool.OutputSchema) {
			if unreachableOutput[member] == "" {
				require.True(t, seen[member], "%s: the matrix does not reach %s: fill it, or list it with a reason", d.mcpRoute, member)
			} else {
				require.False(t, seen[member], "%s is reached by now: strike it from the list", member)
			}
		}
	}
}

// fullArguments are arguments of the person's own for a tool that changes something: all of them, on a task
// that has everything.
func (d *assistantSession) fullArguments(t *testing.T, tool *sdk.Tool, due string) testclient.Vars {
	t.Helper()
	if tool.Annotations.ReadOnlyHint {
		return testclient.Vars{}
	}
	dates := testclient.Vars{"due_on": "2026-12-24", "due_at": "2026-12-24T10:00:00Z"}
	fields := map[string]string{"due_on": "dueOn", "due_at": "dueAt"}
	own := testclient.Vars{"title": "All of it", "description": "All of it", "labels": []string{"all"}, "priority": "high"}
	made := harness.CreateTask(t, d.owner.Client, testclient.Vars{
		"title": own["title"], "description": own["description"], "labels": own["labels"], fields[due]: dates[due],
	})
	own["number"], own[due] = made.Number, dates[due]
	args := testclient.Vars{}
	for name := range tool.InputSchema.(map[string]any)["properties"].(map[string]any) {
		if value, ok := own[name]; ok {
			args[name] = value
		}
	}
	return args
}

// schemaMembersOf are all members of what a schema describes, as paths.
func schemaMembersOf(at string, schema any) (out []string) {
	of, _ := schema.(map[string]any)
	if items, ok := of["items"]; ok {
		return schemaMembersOf(at, items)
	}
	properties, _ := of["properties"].(map[string]any)
	for name, property := range properties {
		out = append(append(out, at+"."+name), schemaMembersOf(at+"."+name, property)...)
	}
	slices.Sort(out)
	return out
}

// recordMembers notes which members hold something.
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
