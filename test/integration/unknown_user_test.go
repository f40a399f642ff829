package integration

import (
	"bytes"
	"testing"

	"errand/ent/rule"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestCommands_UnknownUser_CreatedForDevelopmentOnly runs commands in a shell without the settings of the server, which
// has the development sign-in, before and after the database has built-in accounts.
func TestCommands_UnknownUser_CreatedForDevelopmentOnly(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		settings := harness.Settings{"DATABASE_URL": url}
		fail := func(want string, args ...string) {
			t.Helper()
			command := harness.Command(t, settings, args...)
			var stderr bytes.Buffer
			command.Stderr = &stderr
			require.Error(t, command.Run(), args)
			require.Contains(t, stderr.String(), want, args)
		}
		create := func(name string) []string {
			return []string{"token", "create", "--user", name, "--name", "t", "--scope", "tasks:read"}
		}
		users := func() int {
			return testdb.Open(t, url).Client().User.Query().CountX(rule.System(t.Context()))
		}

		fail(`there is no user "dev": it is created at the first sign-in`, "token", "list", "--user", "dev")
		require.Zero(t, users(), "a list creates no user")
		require.NotEmpty(t, harness.RunCommand(t, settings, create("dev")...))
		require.Equal(t, 1, users())

		harness.RunCommand(t, settings, "user", "add", "ada")
		require.Equal(t, 2, users())
		fail(`"errand user list" prints the logins`, create("typo")...)
		fail(`"errand user list" prints the logins`, "token", "list", "--user", "typo")
		fail(`"errand user list" prints`, "mcp", "--user", "typo")
		fail("ERRAND_TOKEN", "mcp", "--user", "ada")
		require.Equal(t, 2, users())
		require.NotEmpty(t, harness.RunCommand(t, settings, create("ada")...))
		require.NotEmpty(t, harness.RunCommand(t, settings, create("dev")...))
		harness.RunCommand(t, settings, "mcp", "--user", "dev") // the end of its input ends it
		require.Equal(t, 2, users())
	})
}
