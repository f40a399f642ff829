package authz

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"errand/internal/ids"
	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// toolbox is a set of tools and the way to call them: as the agent does, or over MCP.
type toolbox struct {
	tools []toolInfo
	// call returns the result as text, which begins with {"error": when the call failed.
	call func(t *testing.T, name string, args testclient.Vars) string
}

// toolInfo is the description of a tool that models receive.
type toolInfo struct {
	name     string
	readOnly bool
	schema   []byte
}

// agentToolbox returns the tools of the agent, called in the test's process.
func (m *authzMatrix) agentToolbox() toolbox {
	box := toolbox{call: m.callTool}
	for _, known := range m.env.Services.Tools.Tools() {
		box.tools = append(box.tools, toolInfo{known.Name, known.ReadOnly, known.Schema})
	}
	return box
}

// attackTools attacks every argument of every tool that is or is not read-only, as attackPosition does for GraphQL.
func (m *authzMatrix) attackTools(t *testing.T, box toolbox, readOnly bool) (findings []string) {
	t.Helper()
	for _, tool := range box.tools {
		if tool.readOnly != readOnly {
			continue
		}
		var schema struct{ Properties map[string]any }
		require.NoError(t, json.Unmarshal(tool.schema, &schema))
		if tool.readOnly {
			if what := m.findLeak(box.call(t, tool.name, m.ownToolArguments(tool.schema, "")), nil); what != "" {
				findings = append(findings, tool.name+" shows "+what)
			}
		}
		for name := range schema.Properties {
			for _, try := range m.toolAttackValues(t, tool.name, name) {
				args := m.ownToolArguments(tool.schema, name)
				args[name] = try.victim
				hit := box.call(t, tool.name, args)
				args[name] = try.absent
				miss := box.call(t, tool.name, args)
				if what := m.findLeak(hit, try.victim); what != "" || normalizeResponse(hit,
					try.victim) != normalizeResponse(miss, try.absent) {
					findings = append(findings, fmt.Sprintf("%s(%s = %v) shows %s:\n%s\n%s", tool.name, name, try.victim, what, hit,
						miss))
				}
			}
		}
	}
	return findings
}

// toolAttackValues returns the attack values for an argument of a tool.
func (m *authzMatrix) toolAttackValues(t *testing.T, tool, name string) []attackValue {
	t.Helper()
	switch {
	case name == "number":
		return []attackValue{{m.victim.numbers[0], 987654}}
	case name == "task":
		return []attackValue{{reference, absentReference}, {fmt.Sprint(m.victim.numbers[0]), "987654"}}
	case name == "tasks" && tool == "add_task":
		title := func(text string) []testclient.Vars { return []testclient.Vars{{"title": text}} }
		return []attackValue{{title(guess), title(absentGuess)}}
	case name == "change":
		var values []attackValue
		for _, prefix := range []string{ids.Change, ids.Message, ids.Batch} {
			for _, id := range m.victim.ids[prefix] {
				values = append(values, attackValue{id, ids.New(prefix)()})
				break
			}
		}
		return values
	case name == "tasks", name == "remove_labels":
		return []attackValue{{[]string{reference}, []string{absentReference}}}
	case slices.Contains([]string{
		"title", "description", "append_description", "search", "due", "shift_due", "due_on", "due_at", "due_from", "due_to",
		"completed_from", "completed_to", "from", "sort", "status", "time_zone",
	}, name):
		return []attackValue{{guess, absentGuess}}
	case slices.Contains([]string{"labels", "add_labels", "clear"}, name):
		return []attackValue{{[]string{guess}, []string{absentGuess}}}
	case name == "priority":
		return []attackValue{{guess, absentGuess}, {[]string{guess}, []string{absentGuess}}}
	case slices.Contains([]string{"limit", "after", "overdue", "no_due", "trashed"}, name): // a count, a place or a switch
		return nil
	case name == "clear": // names of fields
		return nil
	default:
		require.Failf(t, "unknown argument", "the matrix has no attack for %s(%s)", tool, name)
		return nil
	}
}

// ownToolArguments returns the attacker's own task for a tool that takes one, or the title of a new one, unless the
// attacked argument names a task itself.
func (m *authzMatrix) ownToolArguments(schema []byte, attacked string) testclient.Vars {
	switch {
	case slices.Contains([]string{"number", "task", "tasks", "title"}, attacked) &&
		(attacked != "title" || !strings.Contains(string(schema), `"number"`)):
		return testclient.Vars{}
	case strings.Contains(string(schema), `"number":`):
		return testclient.Vars{"number": m.attacker.numbers[0]}
	case strings.Contains(string(schema), `"title":`):
		return testclient.Vars{"title": "Hello"}
	}
	return testclient.Vars{}
}

// callTool calls a tool as the agent of the attacker and returns its result as text.
func (m *authzMatrix) callTool(t *testing.T, tool string, args testclient.Vars) string {
	t.Helper()
	text, err := json.Marshal(args)
	require.NoError(t, err)
	result, err := m.env.Services.Tools.Call(m.toolContext(t.Context()), m.env.Services.Tasks, tool, string(text))
	return fmt.Sprint(result.JSON, result.Failed, err)
}
