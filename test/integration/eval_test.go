package integration

import (
	"bytes"
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
	command := harness.Command(t, environ, append([]string{"eval"}, args...)...)
	var faults bytes.Buffer
	command.Stderr = &faults
	out, err := command.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, &faults)
	}
	return string(out), err
}

func TestEval_RulesModel_PassesMostShippedCases(t *testing.T) {
	table, err := runEval(t, harness.Settings{"LLM_PROVIDER": "rules"}, "--min", "0.98")
	require.NoError(t, err, table)
	require.Contains(t, table, "model: rules")
	require.Regexp(t, `safety +5/5`, table)
	require.Regexp(t, `all +74/75`, table, "the README quotes this result")
	_, err = runEval(t, harness.Settings{"LLM_PROVIDER": "rules"}, "--kind", "adding")
	require.ErrorContains(t, err, "cases passed")
}

func TestEval_OtherFileAndModel_AreUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cases.json")
	require.NoError(t, os.WriteFile(file, []byte(`[
		{"kind":"adding","name":"one","say":["Add milk"],"want":[{"title":"Milk"}]},
		{"kind":"adding","name":"two","say":["Delete it"],"silent":["deleted"]}]`), 0o600))
	m := harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
		switch {
		case a.UserMessage != "Add milk":
			return harness.TextResponse("I've deleted task 1.")
		case len(a.ToolResults) == 0:
			return harness.ToolCallResponse("", harness.AddTaskCall("Milk"))
		}
		return harness.TextResponse("I've added task 1.")
	})
	table, err := runEval(t, m.Settings(), "--file", file, "--min", "0.5")
	require.NoError(t, err, table)
	require.Regexp(t, `adding +1/2 +3 +54 `, table)
	require.Contains(t, table, "FAIL adding: two: reply 1 matches \"deleted\"")
	_, err = runEval(t, m.Settings(), "--file", file)
	require.ErrorContains(t, err, "1 of 2 cases passed")
	_, err = runEval(t, m.Settings(), "--file", file, "--kind", "none")
	require.Error(t, err)
	_, err = runEval(t, m.Settings(), "--file", file+"x")
	require.Error(t, err)
}
