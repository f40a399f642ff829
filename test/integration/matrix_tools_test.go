package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// toolbox is a way to use tools: as the agent does, or as another assistant.
type toolbox struct {
	tools []toolInfo
	// use gives the result as text, beginning with {"error": when the call failed.
	use func(t *testing.T, name string, args vars) string
}

// toolInfo is what a model is told of one.
type toolInfo struct {
	name     string
	readOnly bool
	schema   []byte
}

// registry is the agent's toolbox.
func (m *matrix) registry() toolbox {
	box := toolbox{use: m.use}
	for _, known := range m.b.Services.Tools.Tools() {
		box.tools = append(box.tools, toolInfo{known.Name, known.ReadOnly, known.Schema})
	}
	return box
}

// attackTools does with every tool what attack does with every argument.
func (m *matrix) attackTools(t *testing.T, box toolbox, readOnly bool) (faults []string) {
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
			if what := m.leak(box.use(t, tool.name, vars{}), nil); what != "" {
				faults = append(faults, tool.name+" shows "+what)
			}
		}
		for name := range schema.Properties {
			for _, try := range m.triesOf(t, tool.name, name) {
				args := m.required(t, tool.name, schema.Required)
				args[name] = try.value
				hit := box.use(t, tool.name, args)
				args[name] = try.ghost
				miss := box.use(t, tool.name, args)
				if what := m.leak(hit, try.value); what != "" || comparable(hit, try.value) != comparable(miss, try.ghost) {
					faults = append(faults, fmt.Sprintf("%s(%s = %v) shows %s:\n%s\n%s", tool.name, name, try.value, what, hit, miss))
				}
			}
		}
	}
	return faults
}

// triesOf are the attacks on a tool's argument.
func (m *matrix) triesOf(t *testing.T, tool, name string) []try {
	t.Helper()
	switch {
	case name == "number":
		return []try{{m.victim.numbers[0], 987654}}
	case slices.Contains([]string{"title", "description", "search", "label", "due_on", "due_at", "due_from", "due_to", "priority", "status"}, name):
		return []try{{guess, wrongGuess}}
	case name == "labels":
		return []try{{[]string{guess}, []string{wrongGuess}}}
	case slices.Contains([]string{"limit", "after", "offset"}, name): // how many, or how far into one's own list
		return nil
	default:
		require.Failf(t, "unknown argument", "the matrix does not know what %s(%s) refers to", tool, name)
		return nil
	}
}

// required are a tool's required arguments, of the attacker's own.
func (m *matrix) required(t *testing.T, tool string, names []string) vars {
	t.Helper()
	own := vars{"number": m.mallory.numbers[0], "title": "Hello"}
	args := vars{}
	for _, name := range names {
		require.Contains(t, own, name, "teach the matrix what a person's own %s of %s is", name, tool)
		args[name] = own[name]
	}
	return args
}

func (m *matrix) use(t *testing.T, tool string, args vars) string {
	t.Helper()
	text, err := json.Marshal(args)
	require.NoError(t, err)
	result, err := m.b.Services.Tools.Call(m.context(t.Context()), m.b.Services.Tasks, tool, string(text))
	return fmt.Sprint(result.JSON, result.Failed, err)
}
