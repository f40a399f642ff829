package main

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"errand/internal/testclient"
	"errand/internal/users"
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
		require.Empty(t, one.Try(t, deleteViewer, vars{"confirm": users.Confirmation}).Errors)
		require.Equal(t, "UNAUTHENTICATED", one.Try(t, viewerID, nil).Fault())
		require.Equal(t, "of "+issuers[2], allTasks(t, two)[0].Title, "the other's account is untouched")
		require.Empty(t, b.of(t, "https://three.example", "alice", -time.Minute).Try(t, viewerID, nil).Errors,
			"and whoever else has that name may still come")
	})
}
