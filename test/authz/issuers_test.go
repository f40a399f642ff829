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

// TestTheSameSubjectOfAnotherIssuerIsSomebodyElse: a subject is an issuer's own word. Here one secret signs
// for every issuer, and each has an alice.
func TestIdentity_SameSubjectOtherIssuer_IsAnotherUser(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		issuers := []string{"", "https://one.example", "https://two.example"}
		alices := map[string]string{}
		for _, issuer := range issuers {
			c := b.ClientWithIssuer(t, issuer, "alice", -time.Minute)
			harness.CreateTask(t, c, testclient.Vars{"title": "of " + issuer})
			alices[harness.ViewerID(t, c)] = issuer
			require.Len(t, harness.AllTasks(t, c), 1)
		}
		require.Len(t, alices, len(issuers))

		one, two := b.ClientWithIssuer(t, issuers[1], "alice", -time.Minute), b.ClientWithIssuer(t, issuers[2], "alice", -time.Minute)
		require.Empty(t, one.Try(t, harness.DeleteViewerDoc, testclient.Vars{"confirm": account.DeleteConfirmation}).Errors)
		require.Equal(t, "UNAUTHENTICATED", one.Try(t, harness.ViewerIDDoc, nil).ErrorCode())
		require.Equal(t, "of "+issuers[2], harness.AllTasks(t, two)[0].Title, "the other's account is untouched")
		require.Empty(t, b.ClientWithIssuer(t, "https://three.example", "alice", -time.Minute).Try(t, harness.ViewerIDDoc, nil).Errors,
			"and whoever else has that name may still come")
	})
}

// TestAProfileFollowsItsTokens: the first token makes the person, later ones rename them, until they choose.
func TestIdentity_NewerToken_UpdatesProfile(t *testing.T) {
	t.Parallel()
	p := harness.NewIdentityProvider(t)
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := harness.Start(t, url, p.Settings())
		const document = `{ viewer { id name email timeZone } }`
		type profile struct{ ID, Name, Email, TimeZone string }
		look := func(name, email any) profile {
			c := testclient.New(t, b.URL(), p.Token(t, testclient.Vars{"name": name, "email": email}))
			return testclient.Run[struct{ Viewer profile }](t, c, document, nil).Viewer
		}
		first := look("Alice", "a@example.com")
		require.Equal(t, profile{first.ID, "Alice", "a@example.com", "UTC"}, first)
		require.Equal(t, profile{first.ID, "Alice B", "b@example.com", "UTC"}, look("Alice B", "b@example.com"))
		require.Equal(
			t,
			profile{first.ID, "Alice B", "b@example.com", "UTC"},
			look(nil, nil),
			"a token that says nothing changes nothing",
		)
		c := testclient.New(t, b.URL(), p.Token(t, nil))
		testclient.Run[any](
			t,
			c,
			`mutation { updateViewer(input: {name: "Ally", timeZone: "Asia/Tokyo"}) { viewer { id } } }`,
			nil,
		)
		require.Equal(
			t,
			profile{first.ID, "Ally", "c@example.com", "Asia/Tokyo"},
			look("Alice C", "c@example.com"),
			"a chosen name stays",
		)
	})
}
