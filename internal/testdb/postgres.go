package testdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"errand/internal/testdb/cluster"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.jetify.com/typeid"
)

// sharedCluster is joined once in each process.
var sharedCluster = sync.OnceValues(func() (*cluster.Cluster, error) {
	return cluster.Shared(context.Background())
})

// PostgresURL is the URL of a new database with all tables on the shared test
// server; it is dropped at the end of the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return Database(t, shared(t))
}

// EmptyPostgresURL is the URL of a new database without tables.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	return clone(t, shared(t), "template0")
}

// NewCluster starts a PostgreSQL server for this test alone, which may stop and restart it.
func NewCluster(t testing.TB) *cluster.Cluster {
	t.Helper()
	c, err := cluster.New(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// Database is the URL of a new database with all tables on the given server.
func Database(t testing.TB, c *cluster.Cluster) string {
	t.Helper()
	template, err := postgresTemplate(context.Background(), c)
	require.NoError(t, err, "making the PostgreSQL template")
	return clone(t, c, template)
}

func shared(t testing.TB) *cluster.Cluster {
	t.Helper()
	c, err := sharedCluster()
	require.NoError(t, err)
	return c
}

// clone makes a database from a template; both live on the given server.
func clone(t testing.TB, c *cluster.Cluster, template string) string {
	t.Helper()
	name := typeid.Must(typeid.WithPrefix("test")).String()
	require.NoError(t, administer(c, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template)))
	t.Cleanup(func() {
		err := administer(c, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name))
		var down *pgconn.ConnectError
		if !errors.As(err, &down) { // The test may have stopped its server; the data go with it.
			require.NoError(t, err)
		}
	})
	return c.URL(name)
}

// administer runs one statement on a connection of its own: a pool that outlived
// the tests would look like a leak.
func administer(c *cluster.Cluster, statement string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// postgresTemplate names the database that all tests clone, and makes it when
// it is not there. Its name tells its schema, so that test binaries built from
// different migrations can share a server.
func postgresTemplate(ctx context.Context, c *cluster.Cluster) (string, error) {
	hash, err := schemaHash()
	if err != nil {
		return "", err
	}
	name := "template_" + hash
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return "", err
	}
	// Closing ends the lock, too.
	return name, errors.Join(ensureTemplate(ctx, c, conn, name), conn.Close(ctx))
}

func ensureTemplate(ctx context.Context, c *cluster.Cluster, conn *pgx.Conn, name string) error {
	const lockNumber = 7261
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", lockNumber); err != nil {
		return err
	}
	var exists bool
	err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err != nil || exists {
		return err
	}
	// A template that is only half made must not be found: it gets its name last.
	const draft = "template_draft"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + draft + " WITH (FORCE)", "CREATE DATABASE " + draft} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := migrate(ctx, c.URL(draft)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name)
	return err
}
