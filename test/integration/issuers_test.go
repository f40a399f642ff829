package integration

import (
	"testing"
	"time"

	"errand/internal/account"
	"errand/internal/testclient"
	"errand/internal/testdb"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// of signs a subject in with a token of an issuer, or of none that it names, issued some time from now.
func (b *bench) of(t testing.TB, issuer, subject string, from time.Duration) *client {
	t.Helper()
	claims := jwt.MapClaims{"sub": subject, "iat": time.Now().Add(from).Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	if issuer != "" {
		claims["iss"] = issuer
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	require.NoError(t, err)
	return testclient.New(t, b.URL(), signed)
}

// TestTheSameSubjectOfAnotherIssuerIsSomebodyElse: a subject is an issuer's own word. Here one secret signs
// for every issuer, and each has an alice.
func TestTheSameSubjectOfAnotherIssuerIsSomebodyElse(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		issuers := []string{"", "https://one.example", "https://two.example"}
		alices := map[string]string{}
		for _, issuer := range issuers {
			c := b.of(t, issuer, "alice", -time.Minute)
			createTask(t, c, vars{"title": "of " + issuer})
			alices[idOf(t, c)] = issuer
			require.Len(t, allTasks(t, c), 1)
		}
		require.Len(t, alices, len(issuers))

		one, two := b.of(t, issuers[1], "alice", -time.Minute), b.of(t, issuers[2], "alice", -time.Minute)
		require.Empty(t, one.Try(t, deleteViewer, vars{"confirm": account.DeleteConfirmation}).Errors)
		require.Equal(t, "UNAUTHENTICATED", one.Try(t, viewerID, nil).ErrorCode())
		require.Equal(t, "of "+issuers[2], allTasks(t, two)[0].Title, "the other's account is untouched")
		require.Empty(t, b.of(t, "https://three.example", "alice", -time.Minute).Try(t, viewerID, nil).Errors,
			"and whoever else has that name may still come")
	})
}

// TestAProfileFollowsItsTokens: the first token makes the person, later ones rename them, until they choose.
func TestAProfileFollowsItsTokens(t *testing.T) {
	t.Parallel()
	p := newIdentities(t)
	testdb.EachURL(t, func(t *testing.T, url string) {
		b := boot(t, url, p.environ())
		const document = `{ viewer { id name email timeZone } }`
		type profile struct{ ID, Name, Email, TimeZone string }
		look := func(name, email any) profile {
			c := testclient.New(t, b.URL(), p.token(t, vars{"name": name, "email": email}))
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
		c := testclient.New(t, b.URL(), p.token(t, nil))
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
