package account_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/account"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// forEachEngine runs the test on SQLite and on PostgreSQL.
func forEachEngine(t *testing.T, test func(t *testing.T, db *store.DB, s *account.Service)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *store.DB) {
		test(t, db, account.NewService(db.Client(), quota.Limits{}, account.Hooks{
			CancelReplies: func(context.Context) error { return nil },
			OnDeleted:     func(string, []string) {},
			OnRevoked:     func(...string) {},
		}))
	})
}

// signIn returns a context whose viewer is the user of the claims.
func signIn(t *testing.T, s *account.Service, claims auth.Claims) context.Context {
	t.Helper()
	id, err := s.EnsureUser(t.Context(), claims)
	require.NoError(t, err)
	return viewer.NewContext(t.Context(), viewer.Viewer{UserID: id})
}

func TestEnsureUser_ConcurrentFirstTokens_CreateOneUser(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *store.DB, s *account.Service) {
		ids := make([]string, 16)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				var err error
				if ids[i], err = s.EnsureUser(t.Context(), auth.Claims{Subject: "alice", Name: "Alice"}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
		require.Equal(t, 1, db.Client().User.Query().CountX(rule.System(t.Context())))
	})
}

func TestEnsureUser_LaterToken_UpdatesNameAndEmail(t *testing.T) {
	forEachEngine(t, func(t *testing.T, _ *store.DB, s *account.Service) {
		ctx := signIn(t, s, auth.Claims{Subject: "alice"})
		stored := func() []string {
			u, err := s.CurrentUser(ctx)
			require.NoError(t, err)
			return []string{u.Name, u.Email}
		}
		require.Equal(t, []string{"", ""}, stored())
		signIn(t, s, auth.Claims{Subject: "alice", Name: "Al\x00ice\n", Email: "a@example.com"})
		require.Equal(t, []string{"Alice", "a@example.com"}, stored(), "control characters are removed")
		signIn(t, s, auth.Claims{Subject: "alice"})
		require.Equal(t, []string{"Alice", "a@example.com"}, stored(), "a token without claims changes nothing")
		signIn(t, s, auth.Claims{Subject: "alice", Name: strings.Repeat("🦊", 300)})
		require.Equal(t, strings.Repeat("🦊", 200), stored()[0])

		chosen := " Ally "
		_, err := s.UpdateUser(ctx, account.UserPatch{Name: &chosen})
		require.NoError(t, err)
		signIn(t, s, auth.Claims{Subject: "alice", Name: "Alice", Email: "b@example.com"})
		require.Equal(t, []string{"Ally", "b@example.com"}, stored(), "a name that the user chose is kept")
	})
}

func TestUpdateUser_NamesAndTimeZones_AreValidated(t *testing.T) {
	forEachEngine(t, func(t *testing.T, _ *store.DB, s *account.Service) {
		ctx := signIn(t, s, auth.Claims{Subject: "alice"})
		for _, bad := range []string{"", "Local", "Mars/Olympus", "../etc/passwd", "+02:00", strings.Repeat("a", 100)} {
			_, err := s.UpdateUser(ctx, account.UserPatch{TimeZone: &bad})
			require.Equal(t, "timeZone", apperr.From(err).Field, "%q", bad)
		}
		for _, bad := range []string{"two\nlines", strings.Repeat("x", 201), "\xff"} {
			_, err := s.UpdateUser(ctx, account.UserPatch{Name: &bad})
			require.Equal(t, "name", apperr.From(err).Field, "%q", bad)
		}
		for _, good := range []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"} {
			u, err := s.UpdateUser(ctx, account.UserPatch{TimeZone: &good})
			require.NoError(t, err)
			require.Equal(t, good, u.TimeZone)
		}
		deleted := viewer.NewContext(t.Context(), viewer.Viewer{UserID: "user_gone"})
		_, err := s.CurrentUser(deleted)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		_, err = s.UpdateUser(deleted, account.UserPatch{})
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
		_, err = s.CurrentUser(t.Context())
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
	})
}

// TestFindUsers_Login_FindsAccount checks that operators may name a built-in account by its login, and that a user of
// the development sign-in with the same name does not take its place.
func TestFindUsers_Login_FindsAccount(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *store.DB, s *account.Service) {
		ada := signIn(t, s, auth.Claims{Subject: "login_1", Issuer: "urn:errand:1"})
		db.Client().Login.Create().SetID("login_1").SetLogin("ada").SetRole(enum.RoleMember).SaveX(ada)
		want, err := s.CurrentUserID(ada)
		require.NoError(t, err)
		for _, name := range []string{"ada", "Ada", "ＡＤＡ", "login_1", want} {
			users, err := account.FindUsers(t.Context(), db.Client(), name)
			require.NoError(t, err)
			require.Len(t, users, 1, name)
			require.Equal(t, want, users[0].ID, name)
		}
		signIn(t, s, auth.Claims{Subject: "ada", Issuer: auth.DevIssuer})
		users, err := account.FindUsers(t.Context(), db.Client(), "ada")
		require.NoError(t, err)
		require.Len(t, users, 2)
	})
}

func TestCountAdopted_DevUserWithLogin_CountsIt(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *store.DB, s *account.Service) {
		signIn(t, s, auth.Claims{Subject: "bob", Issuer: auth.DevIssuer})
		alice := signIn(t, s, auth.Claims{Subject: "alice", Issuer: auth.DevIssuer})
		ada := signIn(t, s, auth.Claims{Subject: "login_1", Issuer: "urn:errand:1"})
		db.Client().Login.Create().SetLogin("ada").SetRole(enum.RoleMember).SaveX(ada)
		n, err := account.CountAdopted(t.Context(), db.Client())
		require.NoError(t, err)
		require.Zero(t, n)
		db.Client().Login.Create().SetLogin("alice").SetRole(enum.RoleMember).SaveX(alice)
		n, err = account.CountAdopted(t.Context(), db.Client())
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

func TestFindUser_AnotherUser_ReturnsNil(t *testing.T) {
	forEachEngine(t, func(t *testing.T, _ *store.DB, s *account.Service) {
		alice, bob := signIn(t, s, auth.Claims{Subject: "alice"}), signIn(t, s, auth.Claims{Subject: "bob"})
		b, err := s.CurrentUser(bob)
		require.NoError(t, err)
		found, err := s.FindUser(alice, b.ID)
		require.NoError(t, err)
		require.Nil(t, found)
	})
}
