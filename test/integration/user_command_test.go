package integration

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"errand/ent/rule"
	"errand/internal/auth"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/internal/viewer"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestUserCommands_BesideServer_ManageAccounts runs the commands in other processes than the server, whose database
// they share, but not its bus.
func TestUserCommands_BesideServer_ManageAccounts(t *testing.T) {
	t.Parallel()
	testdb.EachURL(t, func(t *testing.T, url string) {
		t.Parallel()
		server := harness.StartProcess(t, url, harness.LocalAccounts)
		settings := healthySettings(url, harness.LocalAccounts)
		settings["PUBLIC_URL"] = "https://tasks.example.org/errand"
		run := func(args ...string) string {
			return harness.RunCommand(t, settings, append([]string{"user"}, args...)...)
		}
		fail := func(args ...string) {
			require.Error(t, harness.Command(t, settings, append([]string{"user"}, args...)...).Run(), args)
		}
		redeem := func(link, password string) harness.SignedIn {
			require.Regexp(t, `^https://tasks\.example\.org/errand/#/join/[\w-]{43}\n$`, link)
			return harness.NewBrowser(t, server.URL).Session(t, "/auth/redeem", map[string]string{
				"token": harness.LinkToken(t, link[:len(link)-1]), "password": password,
			})
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
		fail("add", "ADA")
		run("add", "grace")
		rows := list()
		require.Len(t, rows, 2)
		require.Equal(t, []string{"ada", "OWNER", "MEMBER"}, []string{rows[0].Login, rows[0].Role, rows[1].Role})
		require.Regexp(t, `(?m)^ada +ada +owner +enabled +\S+ \S+ +user_`, run("list"))

		client := testclient.New(t, server.URL, redeem(link, harness.Password).AccessToken)
		require.Equal(t, rows[0].UserID, harness.ViewerID(t, client))
		token := testclient.Run[struct{ CreateAPIToken struct{ Secret string } }](t, client, createTokenDoc, nil)
		require.NotEmpty(t, token.CreateAPIToken.Secret)
		socket := client.Dial(t)
		socket.Subscribe(t, harness.TaskStreamDoc, nil)
		require.Equal(t, "disabled ada\n", run("disable", "ada"))
		require.True(t, list()[0].Disabled)
		require.Equal(t, 4403, socket.CloseCode(t), "the server finds the revocation in the database")
		requireRefused := func(secret string) {
			require.Eventually(t, func() bool {
				return testclient.New(t, server.URL, secret).
					Try(t, `{ tasks { nodes { id } } }`, nil).
					ErrorCode() ==
					"UNAUTHENTICATED"
			}, testclient.Timeout, harness.PollInterval)
		}
		requireRefused(client.Token)
		requireRefused(token.CreateAPIToken.Secret)
		signIn := func(password string) harness.Answer {
			return harness.NewBrowser(t, server.URL).Post(t, "/auth/sign-in",
				map[string]string{"login": "ada", "password": password})
		}
		require.Equal(t, http.StatusUnauthorized, signIn(harness.Password).Status)

		require.Equal(t, "enabled ada\n", run("enable", "ada"))
		require.Equal(t, http.StatusOK, signIn(harness.Password).Status)
		reset := redeem(run("reset", "ada"), "another staple here")
		require.Equal(t, http.StatusUnauthorized, signIn(harness.Password).Status)

		db := testdb.Open(t, url)
		dev := db.Client().User.Create().SetIssuer(auth.DevIssuer).SetSubject("Alice").SaveX(rule.System(t.Context()))
		asDev := viewer.NewContext(t.Context(), viewer.Viewer{UserID: dev.ID})
		db.Client().Task.Create().SetNumber(1).SetTitle("Keep me").SaveX(asDev)
		fail("adopt", "--dev", "nobody", "ada")
		require.Contains(t, run("adopt", "--dev", "Alice", "ada"), "ada has the data")
		require.Equal(t, dev.ID, list()[0].UserID)
		requireRefused(reset.AccessToken)
		var again harness.SignedIn
		signIn("another staple here").Decode(t, &again)
		require.Equal(t, []string{"Keep me"},
			harness.Titles(harness.AllTasks(t, testclient.New(t, server.URL, again.AccessToken))))
		server.Terminate()
		require.Zero(t, server.Wait())
	})
}
