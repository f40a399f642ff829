package integration

import (
	"bytes"
	"testing"

	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestMigrateDown_Terminal_AsksFirst answers the question on a pseudo-terminal.
func TestMigrateDown_Terminal_AsksFirst(t *testing.T) {
	t.Parallel()
	url := testdb.SQLiteURL(t)
	for _, tc := range []struct {
		answer    string
		confirmed bool
	}{{"no\n", false}, {"\n", false}, {"y\n", false}, {"\x04", false}, {"yes\n", true}} {
		user, program := openTerminal(t)
		command := harness.Command(t, harness.TestSettings(url), "migrate", "down")
		var stdout, stderr bytes.Buffer
		command.Stdin, command.Stdout, command.Stderr = program, &stdout, &stderr
		_, err := user.WriteString(tc.answer) // the terminal keeps it until it is read
		require.NoError(t, err)
		err = command.Run()
		require.Contains(t, stderr.String(), "Type yes to continue:")
		if tc.confirmed {
			require.NoError(t, err, stderr.String())
			require.Contains(t, stdout.String(), "reverted")
		} else {
			require.Error(t, err, "%q", tc.answer)
			require.Contains(t, stderr.String(), "not confirmed: nothing was changed")
		}
	}
}
