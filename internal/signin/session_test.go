package signin

import (
	"sync"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth"

	"github.com/stretchr/testify/require"
)

func TestSignIn_RightPassword_StartsSession(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		first := e.setUp(t)
		s, err := e.signIn(t, " aDA ", goodPassword)
		require.NoError(t, err)
		require.Equal(t, first.User, s.User)
		require.NotEqual(t, first.ID, s.ID)
		claims, err := e.verify(t, s)
		require.NoError(t, err)
		require.Equal(t, s.ID, claims.CredentialID)
		require.Equal(t, s.ExpiresAt, claims.ExpiresAt)
		require.WithinDuration(t, e.now().Add(AccessTokenTTL), s.ExpiresAt, time.Second)
		row := e.client.Login.GetX(asSystem(t.Context()), claims.Subject)
		require.Equal(t, row.UserID, claims.UserID)
		issuer, err := e.Issuer(t.Context())
		require.NoError(t, err)
		require.Equal(t, issuer, claims.Issuer)

		account, err := e.Account(e.as(t, s))
		require.NoError(t, err)
		require.True(t, account.HasPassword)
		require.Len(t, account.Sessions, 2)
		for _, session := range account.Sessions {
			require.Equal(t, session.ID == s.ID, session.Current)
			require.Equal(t, fromBrowser.UserAgent, session.UserAgent)
		}
		e.pass(AccessTokenTTL)
		_, err = e.verify(t, s)
		require.Equal(t, auth.ReasonExpired, auth.ReasonOf(err))
	})
}

// The error does not depend on which of the credentials is wrong.
func TestSignIn_AnyWrongCredentials_ReturnSameError(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		owner := e.setUp(t)
		e.invite(t, owner, "disabled")
		require.NoError(t, e.DisableUser(t.Context(), "disabled"))
		_, err := e.AddUser(t.Context(), "pending", "MEMBER")
		require.NoError(t, err)
		want := errWrongPassword().Error()
		for login, password := range map[string]string{
			"ada": "wrong password", "nobody": goodPassword, "disabled": goodPassword, "pending": goodPassword,
			"not a login": goodPassword, "": "",
		} {
			_, err := e.signIn(t, login, password)
			requireCode(t, apperr.Unauthenticated, err, login)
			require.EqualError(t, err, want, login)
		}
		require.NoError(t, e.EnableUser(t.Context(), "disabled"))
		_, err = e.signIn(t, "disabled", goodPassword)
		require.NoError(t, err)
	})
}

func TestSignIn_ManyFailures_LimitLoginAndAddress(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		e.setUp(t)
		for _, login := range []string{"ada", "nobody"} {
			for range freeLoginFailures {
				_, err := e.signIn(t, login, "wrong password")
				requireCode(t, apperr.Unauthenticated, err)
			}
			_, err := e.signIn(t, login, goodPassword)
			requireCode(t, apperr.RateLimited, err)
			require.Equal(t, firstLoginWait, apperr.From(err).RetryAfter)
		}
		e.pass(firstLoginWait)
		_, err := e.signIn(t, "ada", "wrong password")
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.signIn(t, "ada", goodPassword)
		require.Equal(t, 2*firstLoginWait, apperr.From(err).RetryAfter)
		e.pass(2 * firstLoginWait)
		_, err = e.signIn(t, "ada", goodPassword)
		require.NoError(t, err)
		_, err = e.signIn(t, "ada", "wrong password")
		requireCode(t, apperr.Unauthenticated, err, "a success forgets the failures")
	})
}

func TestRefresh_CurrentToken_Rotates(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		for range 3 {
			e.pass(AccessTokenTTL)
			next, err := e.Refresh(t.Context(), s.RefreshToken)
			require.NoError(t, err)
			require.Equal(t, s.ID, next.ID)
			require.Equal(t, s.User, next.User)
			require.NotEqual(t, s.RefreshToken, next.RefreshToken)
			_, err = e.verify(t, next)
			require.NoError(t, err)
			s = next
		}
	})
}

// Two tabs refresh at once, or the answer is lost: both get the same token.
func TestRefresh_PreviousTokenWithinGrace_ReturnsCurrent(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		next, err := e.Refresh(t.Context(), s.RefreshToken)
		require.NoError(t, err)
		e.pass(RefreshGrace)
		again, err := e.Refresh(t.Context(), s.RefreshToken)
		require.NoError(t, err)
		require.Equal(t, next.RefreshToken, again.RefreshToken)
		_, err = e.Refresh(t.Context(), again.RefreshToken)
		require.NoError(t, err)
	})
}

func TestRefresh_ManyAtOnce_AllGetOneToken(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		var mu sync.Mutex
		tokens := map[string]bool{}
		errs := concurrently(12, func(int) error {
			next, err := e.Refresh(t.Context(), s.RefreshToken)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				tokens[next.RefreshToken] = true
			}
			return err
		})
		require.Equal(t, 12, succeeded(errs), "%v", errs)
		require.Len(t, tokens, 1)
	})
}

// An old token was copied: by a thief, or from the user by a thief who has refreshed.
func TestRefresh_OldToken_EndsSession(t *testing.T) {
	for name, theft := range map[string]func(t *testing.T, e *environment, s *Session) (latest *Session){
		"after the grace": func(t *testing.T, e *environment, s *Session) *Session {
			next, err := e.Refresh(t.Context(), s.RefreshToken)
			require.NoError(t, err)
			e.pass(RefreshGrace + time.Second)
			return next
		},
		"two refreshes ago": func(t *testing.T, e *environment, s *Session) *Session {
			next, err := e.Refresh(t.Context(), s.RefreshToken)
			require.NoError(t, err)
			next, err = e.Refresh(t.Context(), next.RefreshToken)
			require.NoError(t, err)
			return next
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, e *environment) {
				s := e.setUp(t)
				other, err := e.signIn(t, "ada", goodPassword)
				require.NoError(t, err)
				latest := theft(t, e, s)
				_, err = e.Refresh(t.Context(), s.RefreshToken)
				requireCode(t, apperr.Unauthenticated, err)
				require.True(t, e.isEnded(s.ID))
				_, err = e.Refresh(t.Context(), latest.RefreshToken)
				requireCode(t, apperr.Unauthenticated, err)
				_, err = e.verify(t, latest)
				require.Equal(t, auth.ReasonRevoked, auth.ReasonOf(err))
				_, err = e.Refresh(t.Context(), other.RefreshToken)
				require.NoError(t, err, "other sessions stay")
			})
		})
	}
}

// The ID of a session is not secret; it does not suffice to end the session.
func TestRefresh_MadeUpToken_DoesNotEndSession(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		for _, token := range []string{
			"", s.ID, s.ID + ".", s.ID + "." + encode(randomBytes(secretBytes+macBytes)), s.RefreshToken + "A", "." + s.ID,
		} {
			_, err := e.Refresh(t.Context(), token)
			requireCode(t, apperr.Unauthenticated, err, token)
			require.NoError(t, e.SignOut(t.Context(), token, true))
		}
		_, err := e.Refresh(t.Context(), s.RefreshToken)
		require.NoError(t, err)
	})
}

func TestRefresh_ExpiredOrIdleSession_IsRejected(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		idle := e.setUp(t)
		used, err := e.signIn(t, "ada", goodPassword)
		require.NoError(t, err)
		for range 3 {
			e.pass(SessionTTL/3 - time.Minute)
			used, err = e.Refresh(t.Context(), used.RefreshToken)
			require.NoError(t, err)
		}
		require.WithinDuration(t, e.now().Add(3*time.Minute), used.RefreshExpires, time.Second)
		_, err = e.Refresh(t.Context(), idle.RefreshToken)
		requireCode(t, apperr.Unauthenticated, err)
		e.pass(3 * time.Minute)
		_, err = e.Refresh(t.Context(), used.RefreshToken)
		requireCode(t, apperr.Unauthenticated, err)
		e.pass(retention + time.Minute)
		ctx := asUser(t.Context(), e.client.User.Query().OnlyIDX(asSystem(t.Context())))
		require.NoError(t, e.Purge(ctx))
		require.Zero(t, e.client.SignInSession.Query().CountX(ctx))
	})
}

func TestSignOut_HereOrEverywhere_EndsSessions(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		owner := e.setUp(t)
		member := e.invite(t, owner, "grace")
		var all []*Session
		for range 3 {
			s, err := e.signIn(t, "grace", goodPassword)
			require.NoError(t, err)
			all = append(all, s)
		}
		live := func(s *Session) bool {
			_, err := e.verify(t, s)
			return err == nil
		}
		require.NoError(t, e.SignOut(t.Context(), all[0].RefreshToken, false))
		require.False(t, live(all[0]))
		require.True(t, live(all[1]))
		require.NoError(t, e.SignOut(t.Context(), all[0].RefreshToken, true), "an ended session ends no others")
		require.True(t, live(all[1]))

		require.NoError(t, e.EndSession(e.as(t, all[1]), member.ID))
		require.False(t, live(member))
		requireCode(t, apperr.NotFound, e.EndSession(e.as(t, all[1]), member.ID))
		requireCode(t, apperr.NotFound, e.EndSession(e.as(t, all[1]), owner.ID), "another user's")

		require.NoError(t, e.SignOut(t.Context(), all[1].RefreshToken, true))
		require.False(t, live(all[1]))
		require.False(t, live(all[2]))
		require.True(t, live(owner))
		revoked, err := e.Revoked(t.Context(), time.Minute)
		require.NoError(t, err)
		require.ElementsMatch(t, []string{all[0].ID, all[1].ID, all[2].ID, member.ID}, revoked)
		e.pass(time.Hour)
		revoked, err = e.Revoked(t.Context(), time.Minute)
		require.NoError(t, err)
		require.Empty(t, revoked)
	})
}

func TestSignIn_TooManySessions_EndsOldest(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		first := e.setUp(t)
		row, err := e.findLogin(t.Context(), "ada")
		require.NoError(t, err)
		for range MaxSessions {
			e.pass(time.Millisecond)
			_, err := e.startSession(t.Context(), fromBrowser, row)
			require.NoError(t, err)
		}
		_, err = e.Refresh(t.Context(), first.RefreshToken)
		requireCode(t, apperr.Unauthenticated, err)
		require.True(t, e.isEnded(first.ID))
		s, err := e.signIn(t, "ada", goodPassword)
		require.NoError(t, err)
		account, err := e.Account(e.as(t, s))
		require.NoError(t, err)
		require.Len(t, account.Sessions, MaxSessions)
	})
}

func TestChangePassword_RightCurrent_EndsOtherSessions(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		other := e.setUp(t)
		s, err := e.signIn(t, "ada", goodPassword)
		require.NoError(t, err)
		ctx := e.as(t, s)
		requireField(t, "current", e.ChangePassword(ctx, fromBrowser, otherPassword, otherPassword))
		requireField(t, "current", e.ChangePassword(ctx, fromBrowser, "", otherPassword))
		requireField(t, "new", e.ChangePassword(ctx, fromBrowser, goodPassword, "12345678"))
		require.NoError(t, e.ChangePassword(ctx, fromBrowser, goodPassword, otherPassword))
		_, err = e.Refresh(t.Context(), other.RefreshToken)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.Refresh(t.Context(), s.RefreshToken)
		require.NoError(t, err)
		_, err = e.signIn(t, "ada", otherPassword)
		require.NoError(t, err)
	})
}
