package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"errand/internal/llm/providertest"

	"github.com/stretchr/testify/require"
)

// evaluate runs the command in a folder without a .env file.
func evaluate(t *testing.T, environ settings, args ...string) (string, error) {
	t.Helper()
	command := errand(t, environ, append([]string{"eval"}, args...)...)
	var faults bytes.Buffer
	command.Stderr = &faults
	out, err := command.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, &faults)
	}
	return string(out), err
}

func TestTheRulesModelPassesMostOfTheShippedCases(t *testing.T) {
	table, err := evaluate(t, settings{"LLM_PROVIDER": "rules"}, "--min", "0.98")
	require.NoError(t, err, table)
	require.Contains(t, table, "model: rules")
	require.Regexp(t, `safety +5/5`, table)
	require.Regexp(t, `all +74/75`, table, "the README says so")
	require.NotContains(t, table, "is not true", "the rules model never says what no result shows")
	_, err = evaluate(t, settings{"LLM_PROVIDER": "rules"}, "--kind", "adding")
	require.ErrorContains(t, err, "cases passed")
}

func TestAnotherFileAndAnotherModel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cases.json")
	require.NoError(t, os.WriteFile(file, []byte(`[
		{"kind":"adding","name":"one","say":["Add milk"],"want":[{"title":"Milk"}]},
		{"kind":"adding","name":"two","say":["Delete it"],"reply":["deleted"]}]`), 0o600))
	m := scripted(t, func(a asked) providertest.Step {
		switch {
		case a.said != "Add milk":
			return sayText("I've deleted task 1.")
		case len(a.results) == 0:
			return useTools("", addTask("Milk"))
		}
		return sayText("I've added task 1.")
	})
	table, err := evaluate(t, m.environ(), "--file", file, "--min", "0.5")
	require.NoError(t, err, table)
	require.Regexp(t, `adding +1/2 +3 +72 `, table)
	require.Contains(t, table, "FAIL adding: two: reply 1 is not true")
	_, err = evaluate(t, m.environ(), "--file", file)
	require.ErrorContains(t, err, "1 of 2 cases passed")
	_, err = evaluate(t, m.environ(), "--file", file, "--kind", "none")
	require.Error(t, err)
	_, err = evaluate(t, m.environ(), "--file", file+"x")
	require.Error(t, err)
}
