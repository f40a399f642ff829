package harness

import (
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

const (
	DeleteViewerDoc = `mutation ($confirm: String!) { deleteViewer(confirm: $confirm) { deletedId } }`
	ExportViewerDoc = `{ exportViewer }`
	ViewerIDDoc     = `{ viewer { id } }`
	TaskStreamDoc   = `subscription { taskStream { task { number } } }`
)

// TokenIssuedAt is a token that was issued some time from now; before now when negative.
func TokenIssuedAt(t testing.TB, subject string, from time.Duration) string {
	t.Helper()
	issued := time.Now().Add(from)
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": subject, "name": subject, "iat": issued.Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(Secret))
	require.NoError(t, err)
	return signed
}

// ClientSignedInAt signs a person in with a token issued some time from now.
func (b *Env) ClientSignedInAt(t testing.TB, name string, from time.Duration) *testclient.Client {
	t.Helper()
	return testclient.New(t, b.URL(), TokenIssuedAt(t, name, from))
}

func ViewerID(t testing.TB, c *testclient.Client) string {
	t.Helper()
	return testclient.Run[struct{ Viewer struct{ ID string } }](t, c, ViewerIDDoc, nil).Viewer.ID
}

// OwnedTables are the tables whose rows belong to a person.
func OwnedTables() (owned []*schema.Table) {
	for _, table := range migrate.Tables {
		if _, ok := table.Column("user_id"); ok {
			owned = append(owned, table)
		}
	}
	return owned
}

// SystemClient is the database without row security, on a connection of its own.
func (b *Env) SystemClient(t testing.TB) *ent.Client {
	t.Helper()
	b.systemOnce.Do(func() { b.system = testdb.Open(t, b.Config.Database.URL.Reveal()).Client() })
	return b.system
}

// CountRowsOf counts what the database holds of a person, past all policies.
func (b *Env) CountRowsOf(t testing.TB, userID string) map[string]int {
	t.Helper()
	counts := map[string]int{"users": b.Count(t, "SELECT count(*) FROM users WHERE id = $1", userID)}
	for _, table := range OwnedTables() {
		counts[table.Name] = b.Count(t, "SELECT count(*) FROM "+table.Name+" WHERE user_id = $1", userID)
	}
	return counts
}

func (b *Env) Count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	rows, err := b.SystemClient(t).QueryContext(rule.System(context.Background()), query, args...)
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	require.NoError(t, rows.Scan(&n))
	return n
}

// AddTasks stores tasks without going through the API.
func (b *Env) AddTasks(t testing.TB, userID string, n int) {
	t.Helper()
	ctx, root := rule.System(context.Background()), b.SystemClient(t)
	for from := 0; from < n; from += 100 {
		batch := make([]*ent.TaskCreate, 100)
		for i := range batch {
			batch[i] = root.Task.Create().SetUserID(userID).SetNumber(1000 + from + i).SetTitle("one of many")
		}
		require.NoError(t, root.Task.CreateBulk(batch...).Exec(ctx))
	}
}

// ClientOf signs a subject in with a token of an issuer, or of none that it names, issued some time from now.
func (b *Env) ClientOf(t testing.TB, issuer, subject string, from time.Duration) *testclient.Client {
	t.Helper()
	claims := jwt.MapClaims{"sub": subject, "iat": time.Now().Add(from).Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	if issuer != "" {
		claims["iss"] = issuer
	}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(Secret))
	require.NoError(t, err)
	return testclient.New(t, b.URL(), signed)
}
