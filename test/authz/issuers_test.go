package authz

import (
	"testing"
	"time"

	"errand/internal/account"
	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestIdentity_SameSubjectOtherIssuer_IsAnotherUser checks that the pair of issuer and subject identifies a user. One
// secret signs for every issuer, and each issuer has the subject alice.
func TestIdentity_SameSubjectOtherIssuer_IsAnotherUser(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, env *harness.Env) {
		issuers := []string{"", "https://one.example", "https://two.example"}
		alices := map[string]string{}
		for _, issuer := range issuers {
			c := env.ClientWithIssuer(t, issuer, "alice", -time.Minute)
			harness.CreateTask(t, c, testclient.Vars{"title": "of " + issuer})
			alices[harness.ViewerID(t, c)] = issuer
			require.Len(t, harness.AllTasks(t, c), 1)
		}
		require.Len(t, alices, len(issuers))

		one, two := env.ClientWithIssuer(t, issuers[1], "alice", -time.Minute), env.ClientWithIssuer(t, issuers[2], "alice",
			-time.Minute)
		require.Empty(t, one.Try(t, harness.DeleteViewerDoc, testclient.Vars{"confirm": account.DeleteConfirmation}).Errors)
		require.Equal(t, "UNAUTHENTICATED", one.Try(t, harness.ViewerIDDoc, nil).ErrorCode())
		require.Equal(t, "of "+issuers[2], harness.AllTasks(t, two)[0].Title, "the account of the other issuer is unchanged")
		require.Empty(t, env.ClientWithIssuer(t, "https://three.example", "alice", -time.Minute).Try(t, harness.ViewerIDDoc,
			nil).Errors,
			"the same subject of a third issuer can create an account")
	})
}

// TestIdentity_NewerToken_UpdatesProfile checks that the first token creates the profile and later tokens update it,
// except for fields that the user has set.
func TestIdentity_NewerToken_UpdatesProfile(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	testdb.EachURL(t, func(t *testing.T, url string) {
		env := harness.Start(t, url, p.Settings())
		const document = `{ viewer { id name email timeZone } }`
		type profile struct{ ID, Name, Email, TimeZone string }
		viewerWith := func(name, email any) profile {
			c := testclient.New(t, env.URL(), p.Token(t, testclient.Vars{"name": name, "email": email}))
			return testclient.Run[struct{ Viewer profile }](t, c, document, nil).Viewer
		}
		first := viewerWith("Alice", "a@example.com")
		require.Equal(t, profile{first.ID, "Alice", "a@example.com", "UTC"}, first)
		require.Equal(t, profile{first.ID, "Alice B", "b@example.com", "UTC"}, viewerWith("Alice B", "b@example.com"))
		require.Equal(
			t,
			profile{first.ID, "Alice B", "b@example.com", "UTC"},
			viewerWith(nil, nil),
			"absent claims keep the profile",
		)
		c := testclient.New(t, env.URL(), p.Token(t, nil))
		testclient.Run[any](
			t,
			c,
			`mutation { updateViewer(input: {name: "Ally", timeZone: "Asia/Tokyo"}) { viewer { id } } }`,
			nil,
		)
		require.Equal(
			t,
			profile{first.ID, "Ally", "c@example.com", "Asia/Tokyo"},
			viewerWith("Alice C", "c@example.com"),
			"a name set by the user is kept",
		)
	})
}
