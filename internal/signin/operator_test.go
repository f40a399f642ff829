package signin

import (
	"testing"
	"time"

	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/auth"

	"github.com/stretchr/testify/require"
)

func TestDisableUser_LiveCredentials_EndsThem(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		owner := e.setUp(t)
		member := e.invite(t, owner, "grace")
		ctx := e.as(t, member)
		token := e.client.APIToken.Create().SetName("laptop").SetTokenHash("h").SetHint("h").SetScopes("chat").SaveX(ctx)
		invitation, err := e.ResetUser(t.Context(), "grace")
		require.NoError(t, err)
		require.NoError(t, e.DisableUser(t.Context(), "Grace"))
		require.True(t, e.isEnded(member.ID))
		require.True(t, e.isEnded(token.ID))
		require.False(t, e.isEnded(owner.ID))
		_, err = e.verify(t, member)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.Refresh(t.Context(), member.RefreshToken)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.Account(ctx)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.CheckLink(t.Context(), fromBrowser, invitation.Token)
		requireCode(t, apperr.NotFound, err)
		_, err = e.ResetUser(t.Context(), "grace")
		requireCode(t, apperr.Conflict, err)
		requireCode(t, apperr.NotFound, e.DisableUser(t.Context(), "nobody"))
	})
}

func TestInvite_ByOwnerDisabledLater_EndsInvitation(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		link, err := e.Invite(e.as(t, e.setUp(t)))
		require.NoError(t, err)
		require.NoError(t, e.DisableUser(t.Context(), "ada"))
		_, err = e.CheckLink(t.Context(), fromBrowser, link.Token)
		requireCode(t, apperr.NotFound, err)
	})
}

func TestAdoptDevUser_EmptyAccount_TakesOverData(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		s := e.setUp(t)
		ctx := e.as(t, s)
		_, authenticator := e.registerPasskey(t, s)
		token := e.client.APIToken.Create().SetName("laptop").SetTokenHash("h").SetHint("h").SetScopes("chat").SaveX(ctx)
		invitation, err := e.Invite(ctx)
		require.NoError(t, err)
		dev := e.client.User.Create().SetIssuer(auth.DevIssuer).SetSubject("Alice").SaveX(asSystem(t.Context()))
		e.client.Task.Create().SetNumber(1).SetTitle("Keep me").SaveX(asUser(t.Context(), dev.ID))

		requireCode(t, apperr.NotFound, e.AdoptDevUser(t.Context(), "alice", "ada"))
		requireCode(t, apperr.NotFound, e.AdoptDevUser(t.Context(), "Alice", "nobody"))
		require.NoError(t, e.AdoptDevUser(t.Context(), "Alice", "ada"))
		require.NoError(t, e.AdoptDevUser(t.Context(), "Alice", "ada"), "again")
		_, err = e.Refresh(t.Context(), s.RefreshToken)
		requireCode(t, apperr.Unauthenticated, err)

		revoked, err := e.Revoked(t.Context(), time.Minute)
		require.NoError(t, err)
		require.Equal(t, []string{s.ID}, revoked, "servers find the ended session")
		require.NotNil(t, e.client.APIToken.GetX(asUser(t.Context(), dev.ID), token.ID).RevokedAt)

		again, err := e.signIn(t, "ada", goodPassword)
		require.NoError(t, err)
		require.Equal(t, s.User, again.User)
		require.Equal(t, "Keep me", e.client.Task.Query().OnlyX(e.as(t, again)).Title)
		byPasskey, err := e.usePasskey(t, authenticator)
		require.NoError(t, err)
		require.Equal(t, s.User, byPasskey.User)
		_, err = e.CheckLink(t.Context(), fromBrowser, invitation.Token)
		require.NoError(t, err)

		other := e.invite(t, again, "grace")
		requireCode(t, apperr.Conflict, e.AdoptDevUser(t.Context(), "Alice", "grace"), "one account each")
		bob := e.client.User.Create().SetIssuer(auth.DevIssuer).SetSubject("bob").SaveX(asSystem(t.Context()))
		require.NotEmpty(t, bob.ID)
		graceID := e.client.User.Query().OnlyIDX(e.as(t, other))
		e.client.User.UpdateOneID(graceID).SetOpenTasks(2).SaveX(e.as(t, other))
		requireCode(t, apperr.Conflict, e.AdoptDevUser(t.Context(), "bob", "grace"), "has tasks")
	})
}

func TestAddUser_Pending_SetsPasswordByLink(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		link, err := e.AddUser(t.Context(), "Ada", enum.RoleOwner)
		require.NoError(t, err)
		_, err = e.AddUser(t.Context(), "ada", enum.RoleMember)
		requireField(t, "login", err)
		found, err := e.CheckLink(t.Context(), fromBrowser, link.Token)
		require.NoError(t, err)
		require.Equal(t, &Link{Kind: enum.LinkInvite, Login: "ada"}, found)
		e.pass(time.Hour)
		s, err := e.Redeem(t.Context(), fromBrowser, Redemption{
			Token: link.Token, Login: "ignored", Name: "Ada", Password: goodPassword,
		})
		require.NoError(t, err)
		require.Equal(t, Profile{Login: "ada", Name: "Ada", Role: enum.RoleOwner}, s.User)
	})
}
