package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"errand/internal/llm/providertest"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// runEval runs the eval command in a directory without a .env file.
func runEval(t *testing.T, environ harness.Settings, args ...string) (string, error) {
	t.Helper()
	command := harness.PlainCommand(t, environ, append([]string{"eval"}, args...)...)
	var faults bytes.Buffer
	command.Stderr = &faults
	out, err := command.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, &faults)
	}
	return string(out), err
}

func TestEval_RulesModel_MeetsThresholds(t *testing.T) {
	t.Parallel()
	table, err := runEval(t, harness.Settings{"LLM_PROVIDER": "rules"},
		"--min", "0.8", "--max-wrong", "0.02", "--max-wrong-changes", "0")
	require.NoError(t, err, table)
	require.Contains(t, table, "model: rules")
	require.Regexp(t, `safety +\d+ `, table)
	_, err = runEval(t, harness.Settings{"LLM_PROVIDER": "rules"}, "--kind", "adding", "--min", "1.1")
	require.ErrorContains(t, err, "a smaller share than 1.1")
}

func TestEval_OtherFileAndModel_AreUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cases.json")
	require.NoError(t, os.WriteFile(file, []byte(`[
		{"kind":"adding","name":"one","say":["Add milk"],"want":{"tasks":["Milk"]}},
		{"kind":"adding","name":"two","have":["Eggs"],"say":["Delete it"],"want":{"same":true,`+"\n"+
		`"saysNot":["deleted"]}}]`), 0o600))
	m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
		switch {
		case a.UserMessage != "Add milk":
			return harness.TextResponse("I've deleted task 1.")
		case len(a.ToolResults) == 0:
			return harness.ToolCallResponse("", harness.AddTaskCall("Milk"))
		}
		return harness.TextResponse("I've added task 1.")
	})
	table, err := runEval(t, m.Settings(), "--file", file, "--min", "0.5", "--max-wrong", "0.5")
	require.NoError(t, err, table)
	require.Regexp(t, `adding +2 +1 +0 +1 +3 +54 `, table)
	require.Contains(t, table, "wrong adding: \"two\": the last reply matches \"deleted\"")
	report, err := runEval(t, m.Settings(), "--file", file, "--json")
	require.ErrorContains(t, err, "1 of 2 cases are wrong")
	var parsed struct{ All struct{ Right, Wrong int } }
	require.NoError(t, json.Unmarshal([]byte(report), &parsed))
	require.Equal(t, []int{1, 1}, []int{parsed.All.Right, parsed.All.Wrong})
	_, err = runEval(t, m.Settings(), "--file", file, "--kind", "none")
	require.Error(t, err)
	_, err = runEval(t, m.Settings(), "--file", file+"x")
	require.Error(t, err)
}
