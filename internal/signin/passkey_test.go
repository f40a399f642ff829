package signin

import (
	"encoding/json"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/signin/passkeytest"

	"github.com/stretchr/testify/require"
)

const testOrigin Origin = "https://tasks.example.org"

// registerPasskey registers a passkey in a new authenticator.
func (e *environment) registerPasskey(t *testing.T, s *Session) (*Passkey, *passkeytest.Authenticator) {
	t.Helper()
	a := passkeytest.New(t, string(testOrigin))
	begun, err := e.BeginPasskey(e.as(t, s), testOrigin)
	require.NoError(t, err)
	p, err := e.FinishPasskey(e.as(t, s), testOrigin, begun.ID, a.Create(t, begun.PublicKey), "Phone")
	require.NoError(t, err)
	return p, a
}

func (e *environment) usePasskey(t *testing.T, a *passkeytest.Authenticator) (*Session, error) {
	t.Helper()
	begun, err := e.BeginPasskeySignIn(t.Context(), testOrigin)
	require.NoError(t, err)
	return e.FinishPasskeySignIn(t.Context(), fromBrowser, testOrigin, begun.ID, a.Get(t, begun.PublicKey))
}

func TestPasskey_RegisteredOnOneReplica_SignsInOnAnother(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		other := newEnvironment(t, e.db)
		s := e.setUp(t)
		a := passkeytest.New(t, string(testOrigin))
		begun, err := e.BeginPasskey(e.as(t, s), testOrigin)
		require.NoError(t, err)
		p, err := other.FinishPasskey(e.as(t, s), testOrigin, begun.ID, a.Create(t, begun.PublicKey), " Phone ")
		require.NoError(t, err)
		require.Equal(t, "Phone", p.Name)
		require.Nil(t, p.LastUsedAt)

		signIn, err := other.BeginPasskeySignIn(t.Context(), testOrigin)
		require.NoError(t, err)
		session, err := e.FinishPasskeySignIn(t.Context(), fromBrowser, testOrigin, signIn.ID, a.Get(t, signIn.PublicKey))
		require.NoError(t, err)
		require.Equal(t, s.User, session.User)
		account, err := e.Account(e.as(t, session))
		require.NoError(t, err)
		require.Len(t, account.Passkeys, 1)
		require.NotNil(t, account.Passkeys[0].LastUsedAt)

		require.NoError(t, e.DeletePasskey(e.as(t, session), p.ID))
		requireCode(t, apperr.NotFound, e.DeletePasskey(e.as(t, session), p.ID))
		_, err = e.usePasskey(t, a)
		requireCode(t, apperr.Unauthenticated, err)
	})
}

func TestPasskey_CeremonyUsedAgain_IsRejected(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		a := passkeytest.New(t, string(testOrigin))
		a.Synced = true
		registration, err := e.BeginPasskey(e.as(t, s), testOrigin)
		require.NoError(t, err)
		created := a.Create(t, registration.PublicKey)
		errs := concurrently(4, func(int) error {
			_, err := e.FinishPasskey(e.as(t, s), testOrigin, registration.ID, created, "")
			return err
		})
		require.Equal(t, 1, succeeded(errs), "%v", errs)
		begun, err := e.BeginPasskeySignIn(t.Context(), testOrigin)
		require.NoError(t, err)
		answer := a.Get(t, begun.PublicKey)
		errs = concurrently(4, func(int) error {
			_, err := e.FinishPasskeySignIn(t.Context(), fromBrowser, testOrigin, begun.ID, answer)
			return err
		})
		require.Equal(t, 1, succeeded(errs), "%v", errs)
		e.pass(2 * CeremonyTTL)
		require.NoError(t, e.PurgeShared(t.Context()))
		_, err = e.FinishPasskeySignIn(t.Context(), fromBrowser, testOrigin, begun.ID, answer)
		requireCode(t, apperr.Unauthenticated, err, "expired")
	})
}

func TestPasskey_InvalidAnswers_AreRejectedAlike(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		_, a := e.registerPasskey(t, s)
		stranger := passkeytest.New(t, string(testOrigin))
		stranger.UserHandle = a.UserHandle
		foreign := *a
		foreign.Origin = "https://tasks.example.net"
		unverified := *a
		unverified.Flags = passkeytest.FlagUserPresent
		other := *a
		other.UserHandle = []byte("login_00000000000000000000000000")
		begun, err := e.BeginPasskeySignIn(t.Context(), testOrigin)
		require.NoError(t, err)
		registration, err := e.BeginPasskey(e.as(t, s), testOrigin)
		require.NoError(t, err)
		later, err := e.BeginPasskeySignIn(t.Context(), testOrigin)
		require.NoError(t, err)
		for name, c := range map[string]struct {
			ceremony string
			answer   json.RawMessage
		}{
			"unknown credential": {begun.ID, stranger.Get(t, begun.PublicKey)},
			"foreign origin":     {begun.ID, foreign.Get(t, begun.PublicKey)},
			"not verified":       {begun.ID, unverified.Get(t, begun.PublicKey)},
			"other user":         {begun.ID, other.Get(t, begun.PublicKey)},
			"other ceremony":     {later.ID, a.Get(t, begun.PublicKey)},
			"registration":       {registration.ID, a.Get(t, begun.PublicKey)},
			"made up":            {"x", a.Get(t, begun.PublicKey)},
			"no answer":          {begun.ID, json.RawMessage(`{}`)},
			"no object":          {begun.ID, json.RawMessage(`"x"`)},
		} {
			_, err := e.FinishPasskeySignIn(t.Context(), fromBrowser, testOrigin, c.ceremony, c.answer)
			requireCode(t, apperr.Unauthenticated, err, name)
			require.EqualError(t, err, errCeremony().Error(), name)
		}
		_, err = e.FinishPasskeySignIn(t.Context(), fromBrowser, testOrigin, begun.ID, a.Get(t, begun.PublicKey))
		require.NoError(t, err)

		a.Counter -= 2 // as a copy would have it
		_, err = e.usePasskey(t, a)
		requireCode(t, apperr.Unauthenticated, err)
		a.Counter += 5
		require.NoError(t, e.DisableUser(t.Context(), "ada"))
		_, err = e.usePasskey(t, a)
		requireCode(t, apperr.Unauthenticated, err)
	})
}

func TestBeginPasskey_OriginWithoutPasskeys_IsRejected(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		for _, origin := range []Origin{"http://127.0.0.1:8080", "http://[::1]:8080", "http://tasks.example.org", "", "x"} {
			_, err := e.BeginPasskeySignIn(t.Context(), origin)
			requireField(t, "origin", err)
		}
		_, err := e.BeginPasskeySignIn(t.Context(), "http://localhost:8080")
		require.NoError(t, err)
	})
}

func TestPasskey_WithoutSession_IsForbidden(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		claims, err := e.verify(t, s)
		require.NoError(t, err)
		ctx := asUser(t.Context(), claims.UserID) // such as an API token of the user
		_, err = e.BeginPasskey(ctx, testOrigin)
		requireCode(t, apperr.Forbidden, err)
		requireCode(t, apperr.Forbidden, e.DeletePasskey(ctx, "passkey_x"))
		requireCode(t, apperr.Forbidden, e.EndSession(ctx, s.ID))
		requireCode(t, apperr.Forbidden, e.ChangePassword(ctx, fromBrowser, goodPassword, otherPassword))
		_, err = e.Account(t.Context())
		requireCode(t, apperr.Unauthenticated, err)
	})
}

func TestFinishPasskey_TooLateOrTooMany_IsRejected(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		a := passkeytest.New(t, string(testOrigin))
		begun, err := e.BeginPasskey(e.as(t, s), testOrigin)
		require.NoError(t, err)
		answer := a.Create(t, begun.PublicKey)
		ctx := e.as(t, s)
		e.pass(CeremonyTTL + time.Second)
		_, err = e.FinishPasskey(ctx, testOrigin, begun.ID, answer, "")
		requireCode(t, apperr.Unauthenticated, err)
		for range MaxPasskeys {
			s, err = e.Refresh(t.Context(), s.RefreshToken)
			require.NoError(t, err)
			e.registerPasskey(t, s)
		}
		_, err = e.BeginPasskey(e.as(t, s), testOrigin)
		requireCode(t, apperr.Forbidden, err)
		require.Equal(t, "passkeys", apperr.From(err).Limit)
	})
}
