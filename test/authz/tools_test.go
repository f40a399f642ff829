package authz

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// toolbox is a way to use tools: as the agent does, or as another assistant.
type toolbox struct {
	tools []toolInfo
	// use gives the result as text, beginning with {"error": when the call failed.
	use func(t *testing.T, name string, args testclient.Vars) string
}

// toolInfo is what a model is told of one.
type toolInfo struct {
	name     string
	readOnly bool
	schema   []byte
}

// registry is the agent's toolbox.
func (m *authzMatrix) registry() toolbox {
	box := toolbox{use: m.callTool}
	for _, known := range m.env.Services.Tools.Tools() {
		box.tools = append(box.tools, toolInfo{known.Name, known.ReadOnly, known.Schema})
	}
	return box
}

// attackTools does with every tool what attack does with every argument.
func (m *authzMatrix) attackTools(t *testing.T, box toolbox, readOnly bool) (faults []string) {
	t.Helper()
	for _, tool := range box.tools {
		if tool.readOnly != readOnly {
			continue
		}
		var schema struct {
			Properties map[string]struct{ Type any }
			Required   []string
		}
		require.NoError(t, json.Unmarshal(tool.schema, &schema))
		if tool.readOnly {
			if what := m.findLeak(box.use(t, tool.name, testclient.Vars{}), nil); what != "" {
				faults = append(faults, tool.name+" shows "+what)
			}
		}
		for name := range schema.Properties {
			for _, try := range m.attemptsFor(t, tool.name, name) {
				args := m.requiredToolArguments(t, tool.name, schema.Required)
				args[name] = try.value
				hit := box.use(t, tool.name, args)
				args[name] = try.ghost
				miss := box.use(t, tool.name, args)
				if what := m.findLeak(hit, try.value); what != "" || normalizeResponse(hit, try.value) != normalizeResponse(miss, try.ghost) {
					faults = append(faults, fmt.Sprintf("%s(%s = %v) shows %s:\n%s\n%s", tool.name, name, try.value, what, hit, miss))
				}
			}
		}
	}
	return faults
}

// attemptsFor are the attacks on a tool's argument.
func (m *authzMatrix) attemptsFor(t *testing.T, tool, name string) []attempt {
	t.Helper()
	switch {
	case name == "number":
		return []attempt{{m.victim.numbers[0], 987654}}
	case slices.Contains([]string{"title", "description", "search", "label", "due_on", "due_at", "due_from", "due_to", "priority", "status"}, name):
		return []attempt{{guess, wrongGuess}}
	case name == "labels":
		return []attempt{{[]string{guess}, []string{wrongGuess}}}
	case slices.Contains([]string{"limit", "after", "offset"}, name): // how many, or how far into one's own list
		return nil
	default:
		require.Failf(t, "unknown argument", "the matrix does not know what %s(%s) refers to", tool, name)
		return nil
	}
}

// requiredToolArguments are a tool's required arguments, of the attacker's own.
func (m *authzMatrix) requiredToolArguments(t *testing.T, tool string, names []string) testclient.Vars {
	t.Helper()
	own := testclient.Vars{"number": m.mallory.numbers[0], "title": "Hello"}
	args := testclient.Vars{}
	for _, name := range names {
		require.Contains(t, own, name, "teach the matrix what a person's own %s of %s is", name, tool)
		args[name] = own[name]
	}
	return args
}

func (m *authzMatrix) callTool(t *testing.T, tool string, args testclient.Vars) string {
	t.Helper()
	text, err := json.Marshal(args)
	require.NoError(t, err)
	result, err := m.env.Services.Tools.Call(m.context(t.Context()), m.env.Services.Tasks, tool, string(text))
	return fmt.Sprint(result.JSON, result.Failed, err)
}
