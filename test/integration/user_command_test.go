package integration

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"errand/ent/rule"
	"errand/internal/auth"
	"errand/internal/signin"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestUserCommands_BesideServer_ManageAccounts runs the commands in other processes than the server, whose database
// they share.
func TestUserCommands_BesideServer_ManageAccounts(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		server := harness.StartProcess(t, url)
		settings := healthySettings(url, harness.Settings{"PUBLIC_URL": "https://tasks.example.org/errand"})
		run := func(args ...string) string {
			return harness.RunCommand(t, settings, append([]string{"user"}, args...)...)
		}
		db := testdb.Open(t, url)
		accounts := signin.New(signin.Options{Client: db.Client()})
		from := signin.Caller{Address: "192.0.2.1"}
		linkToken := func(output string) string {
			parts := regexp.MustCompile(`^https://tasks\.example\.org/errand/#/join/([\w-]{43})\n$`).FindStringSubmatch(output)
			require.Len(t, parts, 2, output)
			return parts[1]
		}
		redeem := func(output, password string) *signin.Session {
			s, err := accounts.Redeem(t.Context(), from, signin.Redemption{Token: linkToken(output), Password: password})
			require.NoError(t, err)
			return s
		}
		type row struct {
			Login, Name, Role, UserID string
			Disabled                  bool
			CreatedAt                 time.Time
		}
		list := func() (rows []row) {
			require.NoError(t, json.Unmarshal([]byte(run("list", "--json")), &rows))
			return rows
		}

		require.Empty(t, list())
		link := run("add", "Ada", "--owner")
		require.Error(t, harness.Command(t, settings, "user", "add", "ADA").Run(), "taken")
		session := redeem(link, "correct horse battery")
		run("add", "grace")
		rows := list()
		require.Len(t, rows, 2)
		require.Equal(t, "ada", rows[0].Login)
		require.Equal(t, "OWNER", rows[0].Role)
		require.Equal(t, "MEMBER", rows[1].Role)
		require.Regexp(t, `(?m)^ada +ada +owner +enabled +\S+ \S+ +user_`, run("list"))

		require.Equal(t, "disabled ada\n", run("disable", "ada"))
		require.True(t, list()[0].Disabled)
		_, err := accounts.Refresh(t.Context(), session.RefreshToken)
		require.Error(t, err)
		require.Equal(t, "enabled ada\n", run("enable", "ada"))
		redeem(run("reset", "ada"), "another staple here")
		_, err = accounts.SignIn(t.Context(), from, "ada", "another staple here")
		require.NoError(t, err)

		dev := db.Client().User.Create().SetIssuer(auth.DevIssuer).SetSubject("Alice").SaveX(rule.System(t.Context()))
		asDev := viewer.NewContext(t.Context(), viewer.Viewer{UserID: dev.ID})
		db.Client().Task.Create().SetNumber(1).SetTitle("Keep me").SaveX(asDev)
		require.Error(t, harness.Command(t, settings, "user", "adopt", "--dev", "nobody", "ada").Run())
		require.Contains(t, run("adopt", "--dev", "Alice", "ada"), "ada has the data")
		require.Equal(t, dev.ID, list()[0].UserID)
		_, err = accounts.SignIn(t.Context(), from, "ada", "another staple here")
		require.NoError(t, err)
		server.Terminate()
		require.Zero(t, server.Wait())
	})
}
