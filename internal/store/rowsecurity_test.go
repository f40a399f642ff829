package store_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/migrate"
	"errand/internal/store"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// guarded opens a database behind row security, without the entities' policies: their context passes all.
func guarded(t testing.TB, url string) *store.DB {
	t.Helper()
	return guardedBy(t, url, true)
}

// guardedBy is guarded with a pooler in mind, or none, which is when statements are cached.
func guardedBy(t testing.TB, url string, cached bool) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), store.Options{
		URL: url, StatementCache: cached, RLS: store.RLSOn, StartupTimeout: -1, MaxConns: 2,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// as asks as somebody, past the entities' policies: what is hidden is hidden by the database.
func as(userID string) context.Context {
	return viewer.NewContext(system(), viewer.Viewer{UserID: userID})
}

// twoPeople have a conversation each.
func twoPeople(t *testing.T, url string) (alice, bob *ent.User) {
	t.Helper()
	db := testdb.Open(t, url)
	alice, bob = addUser(t, db.Client(), "alice"), addUser(t, db.Client(), "bob")
	for _, u := range []*ent.User{alice, bob} {
		require.NoError(t, db.Client().Conversation.Create().SetUserID(u.ID).SetTitle(u.Subject).Exec(system()))
	}
	return alice, bob
}

func TestRowSecurityShowsOwnRowsAlone(t *testing.T) {
	url := testdb.PostgresURL(t)
	alice, bob := twoPeople(t, url)
	db := guarded(t, url)
	for range 3 { // the statement is parsed once, and cached with its plan
		for _, u := range []*ent.User{alice, bob} {
			titles, err := db.Client().Conversation.Query().Select("title").Strings(as(u.ID))
			require.NoError(t, err)
			require.Equal(t, []string{u.Subject}, titles)
		}
	}
	_, err := db.Client().ExecContext(as(bob.ID), "UPDATE conversations SET user_id = $1", alice.ID)
	require.ErrorContains(t, err, "row-level security", "a row cannot be given away")
	n, err := db.Client().Conversation.Update().SetTitle("taken").Save(as(bob.ID))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = db.Client().Conversation.Delete().Exec(as(bob.ID))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	left, err := testdb.Open(t, url).Client().Conversation.Query().Only(system())
	require.NoError(t, err)
	require.Equal(t, "alice", left.Title)
}

func TestNobodySeesNothing(t *testing.T) {
	url := testdb.PostgresURL(t)
	twoPeople(t, url)
	db := guarded(t, url)
	for _, table := range migrate.Tables {
		for _, ctx := range []context.Context{context.Background(), as("user_nobody")} {
			rows, err := db.Client().QueryContext(ctx, "SELECT count(*) FROM "+table.Name)
			require.NoError(t, err)
			require.True(t, rows.Next())
			var n int
			require.NoError(t, rows.Scan(&n))
			require.Zero(t, n, table.Name)
			require.NoError(t, rows.Close())
		}
	}
}

// TestTheServersOwnWorkIsNarrow fails when a table is opened to work that is nobody's in particular.
func TestTheServersOwnWorkIsNarrow(t *testing.T) {
	url := testdb.PostgresURL(t)
	alice, _ := twoPeople(t, url)
	db := guarded(t, url)
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
		"deleted_accounts ALL", "runs SELECT", "runs UPDATE",
		"users INSERT", "users SELECT", "users UPDATE",
	}, open)
	require.NotEmpty(t, alice.ID)
}

func TestATransactionFollowsWhoIsAsking(t *testing.T) {
	for what, cached := range map[string]bool{"straight": true, "through a pooler": false} {
		t.Run(what, func(t *testing.T) { followsWhoIsAsking(t, cached) })
	}
}

func followsWhoIsAsking(t *testing.T, cached bool) {
	url := testdb.PostgresURL(t)
	alice, bob := twoPeople(t, url)
	db := guardedBy(t, url, cached)
	tx, err := db.Client().Tx(as(alice.ID))
	require.NoError(t, err)
	for _, u := range []*ent.User{alice, bob, alice} {
		titles, err := tx.Conversation.Query().Select("title").Strings(as(u.ID))
		require.NoError(t, err)
		require.Equal(t, []string{u.Subject}, titles)
	}
	n, err := tx.Conversation.Query().Count(system())
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, tx.Conversation.Update().SetTitle("undone").Exec(as(alice.ID)))
	require.NoError(t, tx.Rollback())
	// The connection keeps nothing of it.
	for range 4 {
		titles, err := db.Client().Conversation.Query().Select("title").Strings(as(bob.ID))
		require.NoError(t, err)
		require.Equal(t, []string{"bob"}, titles)
		n, err := db.Client().Conversation.Query().Count(context.WithoutCancel(system()))
		require.NoError(t, err)
		require.Zero(t, n)
	}
}

// ordinary makes a login that is no superuser and gives a URL with it. It owns the tables, or is a member of errand_app alone.
func ordinary(t *testing.T, address string, owner bool) string {
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
	for _, table := range append([]string{"goose_db_version"}, tableNames()...) {
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

func tableNames() (names []string) {
	for _, table := range migrate.Tables {
		names = append(names, table.Name)
	}
	return names
}

func TestRowSecurityBindsEveryLogin(t *testing.T) {
	for what, login := range map[string]struct {
		url   func(t *testing.T, url string) string
		role  string // "" for the login itself
		owner bool
	}{
		"superuser":         {func(_ *testing.T, url string) string { return url }, "errand_app", false},
		"member of the app": {func(t *testing.T, url string) string { return ordinary(t, url, false) }, "errand_app", false},
		"owner":             {func(t *testing.T, url string) string { return ordinary(t, url, true) }, "", true},
	} {
		t.Run(what, func(t *testing.T) {
			plain := testdb.PostgresURL(t)
			alice, _ := twoPeople(t, plain)
			db := guarded(t, login.url(t, plain))
			titles, err := db.Client().Conversation.Query().Select("title").Strings(as(alice.ID))
			require.NoError(t, err)
			require.Equal(t, []string{"alice"}, titles)
			walls, err := db.RLSStatus(context.Background())
			require.NoError(t, err)
			require.True(t, walls.Enforced())
			require.Equal(t, login.owner, walls.OwnsTables)
			if login.role != "" {
				require.Equal(t, login.role, walls.Role)
			} else {
				require.Equal(t, walls.Login, walls.Role)
			}
			require.NoError(t, db.EnsureSchema(context.Background(), false))
		})
	}
}

func TestRowSecurityOnRefusesWhatCannotStand(t *testing.T) {
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
	walls, err := db.RLSStatus(context.Background())
	require.NoError(t, err)
	require.Equal(t, []string{"tasks"}, walls.UnprotectedTables)
	require.NoError(t, db.Close())
}

func TestValuesOfAllTypesComeThroughTheWall(t *testing.T) {
	db := guarded(t, testdb.PostgresURL(t))
	rows, err := db.Client().
		QueryContext(context.Background(), `SELECT 'ä'::text, 'v'::varchar, 'n'::name, 7::int2, 8::int4, 9::int8, 1.5::float8, 2.25::numeric,
		true, NULL::text, '{"a": 1}'::jsonb, '[1]'::json, '2026-11-22T11:35:00.000012+01'::timestamptz, '2026-11-22'::date, '\x00ff'::bytea, sum(3::bigint), count(*)`)
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

// TestALoginThatIsBoundSaysWhoIsAsking, whatever the setting: with the wall switched off, or with a hole
// in it, what still stands would show nothing to anybody.
func TestALoginThatIsBoundSaysWhoIsAsking(t *testing.T) {
	for name, try := range map[string]struct {
		mode store.RLSMode
		hole string
	}{"switched off": {store.RLSOff, ""}, "with a hole": {store.RLSAuto, "ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY"}} {
		t.Run(name, func(t *testing.T) {
			plain := testdb.PostgresURL(t)
			alice, _ := twoPeople(t, plain)
			if try.hole != "" {
				_, err := testdb.Open(t, plain).Client().ExecContext(context.Background(), try.hole)
				require.NoError(t, err)
			}
			db, err := store.Open(context.Background(), store.Options{
				URL: ordinary(t, plain, true), StatementCache: true, RLS: try.mode, StartupTimeout: -1,
			})
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()
			titles, err := db.Client().Conversation.Query().Select("title").Strings(as(alice.ID))
			require.NoError(t, err)
			require.Equal(t, []string{"alice"}, titles)
		})
	}
}
