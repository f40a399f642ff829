package signin

import (
	"testing"
	"time"

	"errand/ent/enum"
	"errand/internal/apperr"

	"entgo.io/ent/privacy"
	"github.com/stretchr/testify/require"
)

// TestPolicies_OtherUsersRows_AreHidden checks that users read and change their own login, passkeys and sessions only,
// and that they cannot read rows that belong to no user.
func TestPolicies_OtherUsersRows_AreHidden(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		owner := e.setUp(t)
		e.registerPasskey(t, owner)
		member := e.invite(t, owner, "grace")
		ctx, ownerCtx := e.as(t, member), e.as(t, owner)
		ownerLogin := e.client.Login.Query().OnlyX(ownerCtx)
		require.Equal(t, "grace", e.client.Login.Query().OnlyX(ctx).Login)
		require.Equal(t, member.ID, e.client.SignInSession.Query().OnlyIDX(ctx))
		require.Zero(t, e.client.Passkey.Query().CountX(ctx))

		require.Zero(t, e.client.Passkey.Update().SetName("x").SaveX(ctx))
		require.Zero(t, e.client.Passkey.Delete().ExecX(ctx))
		require.Equal(t, 1, e.client.SignInSession.Update().SetRevokedAt(time.Now()).SaveX(ctx))
		require.Equal(t, 1, e.client.Login.Update().SetName("x").SaveX(ctx))
		requireCode(t, apperr.NotFound, e.client.Passkey.Create().SetLoginID(ownerLogin.ID).SetName("x").
			SetCredentialID("x").SetCredential("x").Exec(ctx))
		requireCode(t, apperr.NotFound, e.client.SignInSession.Create().SetLoginID(ownerLogin.ID).SetRefreshHash("x").
			SetExpiresAt(time.Now()).Exec(ctx))
		require.Error(t, e.client.Login.Create().SetLogin("second").SetRole(enum.RoleOwner).Exec(ctx), "one login each")
		require.Equal(t, "Ada L.", e.client.Login.GetX(ownerCtx, ownerLogin.ID).Name)

		for name, query := range map[string]func() error{
			"links":      func() error { return exist(e.client.SignInLink.Query().Exist(ownerCtx)) },
			"keys":       func() error { return exist(e.client.SignInKey.Query().Exist(ownerCtx)) },
			"issuer":     func() error { return exist(e.client.SignInIssuer.Query().Exist(ownerCtx)) },
			"ceremonies": func() error { return exist(e.client.UsedCeremony.Query().Exist(ownerCtx)) },
		} {
			require.ErrorIs(t, query(), privacy.Deny, name)
		}
	})
}

func exist(_ bool, err error) error { return err }

// TestDeleteUser_Account_RemovesLogin checks that a deleted account leaves no row, and that its login can be used
// again.
func TestDeleteUser_Account_RemovesLogin(t *testing.T) {
	eachEngine(t, func(t *testing.T, e *environment) {
		owner := e.setUp(t)
		e.registerPasskey(t, owner)
		link, err := e.Invite(e.as(t, owner))
		require.NoError(t, err)
		_, err = e.ResetUser(t.Context(), "ada")
		require.NoError(t, err)
		ctx := e.as(t, owner)
		require.Equal(t, 1, e.client.User.Delete().ExecX(ctx))
		_, err = e.Refresh(t.Context(), owner.RefreshToken)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.Account(ctx)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.signIn(t, "ada", goodPassword)
		requireCode(t, apperr.Unauthenticated, err)
		_, err = e.CheckLink(t.Context(), fromBrowser, link.Token)
		requireCode(t, apperr.NotFound, err, "invitations end with their owner")
		require.Equal(t, 1, e.client.SignInLink.Query().CountX(asSystem(t.Context())), "the used set-up link")
		open, err := e.SetUpOpen(t.Context())
		require.NoError(t, err)
		require.True(t, open)
		e.setUp(t)
	})
}
