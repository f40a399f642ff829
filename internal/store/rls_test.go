package store_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"errand/ent"
	"errand/internal/store"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// openWithRLS opens a database with enforced row-level security. Contexts made by system and asUser pass the
// entities' privacy policies, so only the database hides rows.
func openWithRLS(t testing.TB, url string) *store.DB {
	t.Helper()
	return openWithRLSAndCache(t, url, true)
}

// openWithRLSAndCache is openWithRLS with or without cached statements. Without them, the settings of RLS are those for
// a pooler in transaction mode.
func openWithRLSAndCache(t testing.TB, url string, cached bool) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), store.Options{
		URL: url, StatementCache: cached, RLS: store.RLSOn, StartupTimeout: -1, MaxConns: 2,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// asUser returns a context with the user as viewer that passes the privacy policies.
func asUser(userID string) context.Context {
	return viewer.NewContext(system(), viewer.Viewer{UserID: userID})
}

// createTwoUsers creates two users with a conversation each.
func createTwoUsers(t *testing.T, url string) (alice, bob *ent.User) {
	t.Helper()
	db := testdb.Open(t, url)
	alice, bob = addUser(t, db.Client(), "alice"), addUser(t, db.Client(), "bob")
	for _, u := range []*ent.User{alice, bob} {
		require.NoError(t, db.Client().Conversation.Create().SetUserID(u.ID).SetTitle(u.Subject).Exec(system()))
	}
	return alice, bob
}

func TestRLS_OtherUsersRows_AreHiddenAndUnchangeable(t *testing.T) {
	url := testdb.PostgresURL(t)
	alice, bob := createTwoUsers(t, url)
	db := openWithRLS(t, url)
	for range 3 { // the prepared statement is reused for both users
		for _, u := range []*ent.User{alice, bob} {
			titles, err := db.Client().Conversation.Query().Select("title").Strings(asUser(u.ID))
			require.NoError(t, err)
			require.Equal(t, []string{u.Subject}, titles)
		}
	}
	_, err := db.Client().ExecContext(asUser(bob.ID), "UPDATE conversations SET user_id = $1", alice.ID)
	require.ErrorContains(t, err, "row-level security", "the owner cannot be changed")
	n, err := db.Client().Conversation.Update().SetTitle("changed").Save(asUser(bob.ID))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = db.Client().Conversation.Delete().Exec(asUser(bob.ID))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	left, err := testdb.Open(t, url).Client().Conversation.Query().Only(system())
	require.NoError(t, err)
	require.Equal(t, "alice", left.Title)
}

func TestRLS_AnonymousOrUnknownUser_SeesNoRows(t *testing.T) {
	url := testdb.PostgresURL(t)
	createTwoUsers(t, url)
	db := openWithRLS(t, url)
	for _, table := range ent.Tables() {
		for _, ctx := range []context.Context{context.Background(), asUser("user_missing")} {
			rows, err := db.Client().QueryContext(ctx, "SELECT count(*) FROM "+table)
			require.NoError(t, err)
			require.True(t, rows.Next())
			var n int
			require.NoError(t, rows.Scan(&n))
			require.Zero(t, n, table)
			require.NoError(t, rows.Close())
		}
	}
}

// It fails when a policy opens another table to the server's own work.
func TestRLS_SystemScope_SeesOnlyDeclaredTables(t *testing.T) {
	url := testdb.PostgresURL(t)
	alice, _ := createTwoUsers(t, url)
	db := openWithRLS(t, url)
	n, err := db.Client().User.Query().Count(system())
	require.NoError(t, err)
	require.Equal(t, 2, n)
	n, err = db.Client().Conversation.Query().Count(system())
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = db.Client().User.Delete().Exec(system())
	require.NoError(t, err)
	n, err = db.Client().User.Query().Count(system())
	require.NoError(t, err)
	require.Equal(t, 2, n, "nothing was deleted")

	rows, err := db.Client().QueryContext(context.Background(),
		"SELECT tablename || ' ' || cmd FROM pg_policies WHERE policyname LIKE 'system%' ORDER BY 1")
	require.NoError(t, err)
	var open []string
	for rows.Next() {
		var line string
		require.NoError(t, rows.Scan(&line))
		open = append(open, line)
	}
	require.NoError(t, rows.Close())
	require.Equal(t, []string{
		"api_tokens SELECT", "deleted_accounts ALL", "logins SELECT", "passkeys SELECT", "runs SELECT", "runs UPDATE",
		"sign_in_issuers ALL", "sign_in_keys ALL", "sign_in_links ALL", "sign_in_sessions SELECT",
		"used_ceremonies ALL", "users INSERT", "users SELECT", "users UPDATE",
	}, open)
	require.NotEmpty(t, alice.ID)
}

func TestRLS_ScopeChangesInTransaction_AreApplied(t *testing.T) {
	for what, cached := range map[string]bool{"direct connection": true, "transaction pooler": false} {
		t.Run(what, func(t *testing.T) { testScopeInTransaction(t, cached) })
	}
}

func testScopeInTransaction(t *testing.T, cached bool) {
	url := testdb.PostgresURL(t)
	alice, bob := createTwoUsers(t, url)
	db := openWithRLSAndCache(t, url, cached)
	tx, err := db.Client().Tx(asUser(alice.ID))
	require.NoError(t, err)
	for _, u := range []*ent.User{alice, bob, alice} {
		titles, err := tx.Conversation.Query().Select("title").Strings(asUser(u.ID))
		require.NoError(t, err)
		require.Equal(t, []string{u.Subject}, titles)
	}
	n, err := tx.Conversation.Query().Count(system())
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, tx.Conversation.Update().SetTitle("rolled back").Exec(asUser(alice.ID)))
	require.NoError(t, tx.Rollback())
	// The connection keeps no scope.
	for range 4 {
		titles, err := db.Client().Conversation.Query().Select("title").Strings(asUser(bob.ID))
		require.NoError(t, err)
		require.Equal(t, []string{"bob"}, titles)
		n, err := db.Client().Conversation.Query().Count(context.WithoutCancel(system()))
		require.NoError(t, err)
		require.Zero(t, n)
	}
}

// createLogin creates a role without superuser rights, which owns the tables or is only a member of errand_app, and
// returns the URL with it.
func createLogin(t *testing.T, address string, owner bool) string {
	t.Helper()
	db := testdb.Open(t, address)
	name := "login_" + strings.ToLower(
		strings.ReplaceAll(t.Name()[len(t.Name())-8:], "/", "_"),
	) + fmt.Sprint(
		time.Now().UnixNano(),
	)
	statements := []string{"CREATE ROLE " + name + " LOGIN"}
	if !owner {
		statements = append(statements, "GRANT errand_app TO "+name)
	}
	for _, table := range append([]string{"goose_db_version"}, ent.Tables()...) {
		if owner {
			statements = append(statements, "ALTER TABLE "+table+" OWNER TO "+name)
		}
	}
	for _, s := range statements {
		_, err := db.Client().ExecContext(context.Background(), s)
		require.NoError(t, err, s)
	}
	t.Cleanup(func() {
		for _, s := range []string{"REASSIGN OWNED BY " + name + " TO errand", "DROP OWNED BY " + name, "DROP ROLE " + name} {
			_, err := db.Client().ExecContext(context.Background(), s)
			require.NoError(t, err, s)
		}
	})
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.User = url.User(name)
	return u.String()
}

func TestRLS_EveryKindOfLogin_IsEnforced(t *testing.T) {
	for what, login := range map[string]struct {
		url   func(t *testing.T, url string) string
		role  string // "" for the login itself
		owner bool
	}{
		"superuser": {func(_ *testing.T, url string) string { return url }, "errand_app", false},
		"member of the app": {
			func(t *testing.T, url string) string { return createLogin(t, url, false) }, "errand_app", false,
		},
		"owner": {func(t *testing.T, url string) string { return createLogin(t, url, true) }, "", true},
	} {
		t.Run(what, func(t *testing.T) {
			url := testdb.PostgresURL(t)
			alice, _ := createTwoUsers(t, url)
			db := openWithRLS(t, login.url(t, url))
			titles, err := db.Client().Conversation.Query().Select("title").Strings(asUser(alice.ID))
			require.NoError(t, err)
			require.Equal(t, []string{"alice"}, titles)
			status, err := db.RLSStatus(context.Background())
			require.NoError(t, err)
			require.False(t, status.BypassesRLS)
			require.Empty(t, status.UnprotectedTables)
			require.Equal(t, login.owner, status.OwnsTables)
			if login.role != "" {
				require.Equal(t, login.role, status.Role)
			} else {
				require.Equal(t, status.Login, status.Role)
			}
			require.NoError(t, db.EnsureSchema(context.Background(), false))
		})
	}
}

func TestOpen_RLSOnUnprotectedTable_Fails(t *testing.T) {
	url := testdb.PostgresURL(t)
	_, err := testdb.Open(t, url).
		Client().
		ExecContext(context.Background(), "ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY")
	require.NoError(t, err)
	_, err = store.Open(
		context.Background(),
		store.Options{URL: url, RLS: store.RLSOn, StartupTimeout: -1},
	)
	require.ErrorIs(t, err, store.ErrRLSNotEnforced)
	require.ErrorContains(t, err, "tasks")
	db, err := store.Open(
		context.Background(),
		store.Options{URL: url, RLS: store.RLSAuto, StartupTimeout: -1},
	)
	require.NoError(t, err)
	status, err := db.RLSStatus(context.Background())
	require.NoError(t, err)
	require.Equal(t, []string{"tasks"}, status.UnprotectedTables)
	require.NoError(t, db.Close())
}

func TestRLS_ValuesOfAllTypes_AreConverted(t *testing.T) {
	db := openWithRLS(t, testdb.PostgresURL(t))
	rows, err := db.Client().
		QueryContext(context.Background(), `SELECT 'ä'::text, 'v'::varchar, 'n'::name,
		7::int2, 8::int4, 9::int8, 1.5::float8, 2.25::numeric,
		true, NULL::text, '{"a": 1}'::jsonb, '[1]'::json,
		'2026-11-22T11:35:00.000012+01'::timestamptz, '2026-11-22'::date, '\x00ff'::bytea, sum(3::bigint), count(*)`)
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	var text, varchar, name, numeric string
	var small, medium, large, total, count int64
	var float float64
	var yes bool
	var nothing *string
	var jsonb, json, bytea []byte
	var at, day time.Time
	require.NoError(
		t,
		rows.Scan(
			&text,
			&varchar,
			&name,
			&small,
			&medium,
			&large,
			&float,
			&numeric,
			&yes,
			&nothing,
			&jsonb,
			&json,
			&at,
			&day,
			&bytea,
			&total,
			&count,
		),
	)
	require.Equal(t, []any{"ä", "v", "n", int64(7), int64(8), int64(9), 1.5, "2.25", true, int64(3), int64(1)},
		[]any{text, varchar, name, small, medium, large, float, numeric, yes, total, count})
	require.Nil(t, nothing)
	require.JSONEq(t, `{"a": 1}`, string(jsonb))
	require.JSONEq(t, `[1]`, string(json))
	require.Equal(t, "2026-11-22T10:35:00.000012Z", at.Format(time.RFC3339Nano))
	require.Equal(t, "2026-11-22", day.Format(time.DateOnly))
	require.Equal(t, []byte{0, 255}, bytea)
	require.False(t, rows.Next())
	require.NoError(t, rows.Err())

	_, err = db.Client().QueryContext(context.Background(), "SELECT 1/0")
	require.ErrorContains(t, err, "division by zero")
	_, err = db.Client().ExecContext(context.Background(), "SELECT wrong")
	require.ErrorContains(t, err, "wrong")
	require.NoError(t, db.Ping(context.Background()))
}

// With RLS off or incomplete, the policies that are in force would show no rows without a scope.
func TestRLS_OffOrIncomplete_StillSetsTheScope(t *testing.T) {
	for name, test := range map[string]struct {
		mode      store.RLSMode
		statement string
	}{"off": {store.RLSOff, ""}, "unprotected table": {store.RLSAuto, "ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY"}} {
		t.Run(name, func(t *testing.T) {
			url := testdb.PostgresURL(t)
			alice, _ := createTwoUsers(t, url)
			if test.statement != "" {
				_, err := testdb.Open(t, url).Client().ExecContext(context.Background(), test.statement)
				require.NoError(t, err)
			}
			db, err := store.Open(context.Background(), store.Options{
				URL: createLogin(t, url, true), StatementCache: true, RLS: test.mode, StartupTimeout: -1,
			})
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			titles, err := db.Client().Conversation.Query().Select("title").Strings(asUser(alice.ID))
			require.NoError(t, err)
			require.Equal(t, []string{"alice"}, titles)
		})
	}
}
