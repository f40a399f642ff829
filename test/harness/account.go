package harness

import (
	"cmp"
	"context"
	"testing"
	"time"

	"errand/ent"
	"errand/ent/migrate"
	"errand/ent/rule"
	"errand/internal/testclient"
	"errand/internal/testdb"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// GraphQL documents about the viewer.
const (
	// DeleteViewerDoc deletes the account; its variable is the confirmation phrase.
	DeleteViewerDoc = `mutation ($confirm: String!) { deleteViewer(confirm: $confirm) { deletedId } }`
	// ExportViewerDoc exports all data of the account as JSON.
	ExportViewerDoc = `{ exportViewer }`
	// ViewerIDDoc selects the ID of the authenticated user.
	ViewerIDDoc = `{ viewer { id } }`
	// TaskStreamDoc subscribes to the number of each changed task.
	TaskStreamDoc = `subscription { taskStream { task { number } } }`
)

// TokenIssuedAt returns a token for subject, signed with [Secret], whose iat claim is now plus offset. A negative
// offset is in the past. The token expires in an hour.
func TokenIssuedAt(t testing.TB, subject string, offset time.Duration) string {
	t.Helper()
	issued := time.Now().Add(offset)
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": subject, "name": subject, "iat": issued.Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(Secret))
	require.NoError(t, err)
	return signed
}

// ClientWithTokenIssuedAt returns a client for the user name whose token has the iat claim now plus offset. Tests
// that delete an account use an offset in the past, because only tokens issued before the deletion are rejected after
// it.
func (e *Env) ClientWithTokenIssuedAt(t testing.TB, name string, offset time.Duration) *testclient.Client {
	t.Helper()
	return testclient.New(t, e.URL(), TokenIssuedAt(t, name, offset))
}

// ViewerID returns the ID of the user the client is authenticated as. The first call creates the account.
func ViewerID(t testing.TB, c *testclient.Client) string {
	t.Helper()
	return testclient.Run[struct{ Viewer struct{ ID string } }](t, c, ViewerIDDoc, nil).Viewer.ID
}

// OwnedTables returns the tables whose rows belong to a user: those with a user_id column.
func OwnedTables() (owned []*schema.Table) {
	for _, table := range migrate.Tables {
		if _, ok := table.Column("user_id"); ok {
			owned = append(owned, table)
		}
	}
	return owned
}

// SystemClient returns an Ent client with its own connection to the server's database. The connection does not
// enforce row-level security; entity policies still apply, so callers pass a context from rule.System. It is opened
// once per Env and closed when the test that first called SystemClient ends.
func (e *Env) SystemClient(t testing.TB) *ent.Client {
	t.Helper()
	e.systemOnce.Do(func() {
		e.system = testdb.Open(t, cmp.Or(e.SystemURL, e.Config.Database.URL.Reveal())).Client()
	})
	return e.system
}

// CountUserRows returns the number of rows each table stores for a user, by table name. It bypasses all policies.
func (e *Env) CountUserRows(t testing.TB, userID string) map[string]int {
	t.Helper()
	counts := map[string]int{"users": e.Count(t, "SELECT count(*) FROM users WHERE id = $1", userID)}
	for _, table := range OwnedTables() {
		counts[table.Name] = e.Count(t, "SELECT count(*) FROM "+table.Name+" WHERE user_id = $1", userID)
	}
	return counts
}

// Count runs a query that returns one integer, such as SELECT count(*), and returns it. It bypasses all policies.
func (e *Env) Count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	rows, err := e.SystemClient(t).QueryContext(rule.System(context.Background()), query, args...)
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(&n))
	return n
}

// AddTasks inserts n tasks for a user directly into the database, numbered from 1000. n must be a multiple of 100,
// the size of a batch.
func (e *Env) AddTasks(t testing.TB, userID string, n int) {
	t.Helper()
	ctx, client := rule.System(context.Background()), e.SystemClient(t)
	for start := 0; start < n; start += 100 {
		batch := make([]*ent.TaskCreate, 100)
		for i := range batch {
			batch[i] = client.Task.Create().SetUserID(userID).SetNumber(1000 + start + i).SetTitle("one of many")
		}
		require.NoError(t, client.Task.CreateBulk(batch...).Exec(ctx))
	}
}

// ClientWithIssuer returns a client for a subject of an issuer, whose token has the iat claim now plus offset. An
// empty issuer omits the iss claim.
func (e *Env) ClientWithIssuer(t testing.TB, issuer, subject string, offset time.Duration) *testclient.Client {
	t.Helper()
	claims := jwt.MapClaims{"sub": subject, "iat": time.Now().Add(offset).Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	if issuer != "" {
		claims["iss"] = issuer
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(Secret))
	require.NoError(t, err)
	return testclient.New(t, e.URL(), signed)
}
