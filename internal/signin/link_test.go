package signin

import (
	"fmt"
	"testing"
	"time"

	"errand/ent/enum"
	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
)

func TestRedeem_SetUpLink_CreatesOwnerOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		ctx := t.Context()
		open, err := e.SetUpOpen(ctx)
		require.NoError(t, err)
		require.True(t, open)
		first, err := e.OpenSetUp(ctx)
		require.NoError(t, err)
		second, err := e.OpenSetUp(ctx) // of another replica
		require.NoError(t, err)
		require.NotEqual(t, first, second)
		link, err := e.CheckLink(ctx, fromBrowser, first)
		require.NoError(t, err)
		require.Equal(t, &Link{Kind: enum.LinkSetUp}, link)

		errs := concurrently(6, func(i int) error {
			token := []string{first, second}[i%2]
			_, err := e.Redeem(ctx, fromBrowser, Redemption{
				Token: token, Login: fmt.Sprint("owner", i), Password: goodPassword,
			})
			return err
		})
		require.Equal(t, 1, succeeded(errs), "%v", errs)
		for _, err := range errs {
			if err != nil {
				requireCode(t, apperr.NotFound, err)
			}
		}
		users, err := e.AllUsers(ctx)
		require.NoError(t, err)
		require.Len(t, users, 1)
		require.Equal(t, enum.RoleOwner, users[0].Role)

		open, err = e.SetUpOpen(ctx)
		require.NoError(t, err)
		require.False(t, open)
		token, err := e.OpenSetUp(ctx)
		require.NoError(t, err)
		require.Empty(t, token)
		for _, token := range []string{first, second, "", "x", first + "A"} {
			_, err := e.CheckLink(ctx, fromBrowser, token)
			requireCode(t, apperr.NotFound, err, token)
		}
	})
}

func TestOpenSetUp_LaterStart_EndsOldLinks(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		old, err := e.OpenSetUp(t.Context())
		require.NoError(t, err)
		e.pass(setUpOverlap + time.Second)
		token, err := e.OpenSetUp(t.Context())
		require.NoError(t, err)
		_, err = e.CheckLink(t.Context(), fromBrowser, old)
		requireCode(t, apperr.NotFound, err)
		_, err = e.CheckLink(t.Context(), fromBrowser, token)
		require.NoError(t, err)
	})
}

func TestRedeem_Invitation_CreatesMember(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		ctx := t.Context()
		owner := e.setUp(t)
		require.Equal(t, Profile{Login: "ada", Name: "Ada L.", Role: enum.RoleOwner}, owner.User)
		link, err := e.Invite(e.as(t, owner))
		require.NoError(t, err)
		require.WithinDuration(t, e.now().Add(InviteTTL), *link.ExpiresAt, time.Second)

		redeem := func(login, name, password string) error {
			_, err := e.Redeem(ctx, fromBrowser, Redemption{Token: link.Token, Login: login, Name: name, Password: password})
			return err
		}
		requireField(t, "login", redeem("", "", goodPassword))
		requireField(t, "login", redeem("two words", "", goodPassword))
		requireField(t, "login", redeem(" ADA ", "", goodPassword)) // taken
		requireField(t, "name", redeem("grace", "a\nb", goodPassword))
		requireField(t, "password", redeem("grace", "", "short"))
		requireField(t, "password", redeem("grace.hopper", "", "Grace.Hopper"))
		requireField(t, "password", redeem("grace", "", "Password123!"))
		require.NoError(t, redeem("Grace", "", ""), "an invalid input does not use the link")
		requireCode(t, apperr.NotFound, redeem("mary", "", goodPassword))
		_, err = e.signIn(t, "grace", "")
		requireCode(t, apperr.Unauthenticated, err)

		member := e.invite(t, owner, "mary")
		_, err = e.Invite(e.as(t, member))
		requireCode(t, apperr.Forbidden, err)
		_, err = e.Users(e.as(t, member))
		requireCode(t, apperr.Forbidden, err)
		users, err := e.Users(e.as(t, owner))
		require.NoError(t, err)
		require.Equal(t, []string{"ada", "grace", "mary"}, []string{users[0].Login, users[1].Login, users[2].Login})
		require.Equal(t, enum.RoleMember, users[1].Role)
	})
}

func TestRedeem_ExpiredLink_ReturnsNotFound(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		link, err := e.Invite(e.as(t, e.setUp(t)))
		require.NoError(t, err)
		e.pass(InviteTTL)
		_, err = e.Redeem(t.Context(), fromBrowser, Redemption{Token: link.Token, Login: "grace", Password: goodPassword})
		requireCode(t, apperr.NotFound, err)
		require.NoError(t, e.PurgeShared(t.Context()))
		e.pass(retention + time.Second)
		require.NoError(t, e.PurgeShared(t.Context()))
		require.Zero(t, e.client.SignInLink.Query().CountX(asSystem(t.Context())))
	})
}

func TestRedeem_OneLinkAtOnce_IsUsedOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		link, err := e.Invite(e.as(t, e.setUp(t)))
		require.NoError(t, err)
		errs := concurrently(8, func(i int) error {
			_, err := e.Redeem(t.Context(), fromBrowser, Redemption{
				Token: link.Token, Login: fmt.Sprint("guest", i), Password: goodPassword,
			})
			return err
		})
		require.Equal(t, 1, succeeded(errs), "%v", errs)
		users, err := e.AllUsers(t.Context())
		require.NoError(t, err)
		require.Len(t, users, 2)
	})
}

func TestRedeem_OneLoginAtOnce_IsCreatedOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		owner := e.as(t, e.setUp(t))
		errs := concurrently(4, func(int) error {
			link, err := e.Invite(owner)
			if err != nil {
				return err
			}
			_, err = e.Redeem(t.Context(), fromBrowser, Redemption{Token: link.Token, Login: "Grace", Password: goodPassword})
			return err
		})
		require.Equal(t, 1, succeeded(errs), "%v", errs)
		for _, err := range errs {
			if err != nil {
				requireField(t, "login", err)
			}
		}
	})
}

func TestRedeem_ResetLink_SetsPasswordAndEndsSessions(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		ctx := t.Context()
		session := e.setUp(t)
		old, err := e.ResetUser(ctx, "ADA")
		require.NoError(t, err)
		link, err := e.ResetUser(ctx, "ada")
		require.NoError(t, err)
		_, err = e.CheckLink(ctx, fromBrowser, old.Token)
		requireCode(t, apperr.NotFound, err, "an earlier link ends")
		found, err := e.CheckLink(ctx, fromBrowser, link.Token)
		require.NoError(t, err)
		require.Equal(t, &Link{Kind: enum.LinkReset, Login: "ada"}, found)
		_, err = e.Redeem(ctx, fromBrowser, Redemption{Token: link.Token})
		requireField(t, "password", err)
		_, err = e.verify(t, session)
		require.NoError(t, err, "a link that was not used changes nothing")

		again, err := e.Redeem(ctx, fromBrowser, Redemption{Token: link.Token, Login: "eve", Password: otherPassword})
		require.NoError(t, err)
		require.Equal(t, session.User, again.User)
		_, err = e.verify(t, session)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.Refresh(ctx, session.RefreshToken)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.signIn(t, "ada", goodPassword)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.signIn(t, "ada", otherPassword)
		require.NoError(t, err)
		_, err = e.Refresh(ctx, again.RefreshToken)
		require.NoError(t, err)
	})
}

func TestCheckLink_ManyWrongTokens_LimitsAddress(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		for i := range 20 {
			_, err := e.CheckLink(t.Context(), fromBrowser, encode(randomBytes(secretBytes)))
			requireCode(t, apperr.NotFound, err, i)
		}
		_, err := e.CheckLink(t.Context(), fromBrowser, "")
		requireCode(t, apperr.RateLimited, err)
		require.Positive(t, apperr.From(err).RetryAfter)
		_, err = e.CheckLink(t.Context(), Caller{Address: "192.0.2.2"}, "")
		requireCode(t, apperr.NotFound, err)
		e.pass(addressWindow)
		_, err = e.CheckLink(t.Context(), fromBrowser, "")
		requireCode(t, apperr.NotFound, err)
	})
}
