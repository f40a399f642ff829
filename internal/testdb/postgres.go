package testdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"errand/internal/testdb/cluster"
	"errand/migrations"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"go.jetify.com/typeid"
)

// sharedCluster joins the shared server once per process.
var sharedCluster = sync.OnceValues(func() (*cluster.Cluster, error) {
	return cluster.Shared(context.Background())
})

// PostgresURL returns the URL of a new, migrated database on the shared PostgreSQL server. The database is dropped at
// the end of the test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return ClusterURL(t, sharedOrFail(t))
}

// EmptyPostgresURL returns the URL of a new database without tables on the shared PostgreSQL server.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	return cloneDatabase(t, sharedOrFail(t), "template0")
}

// NewCluster starts a PostgreSQL server for a single test, which may stop and restart it.
func NewCluster(t testing.TB) *cluster.Cluster {
	t.Helper()
	c, err := cluster.New(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// ClusterURL returns the URL of a new, migrated database on the given server. It is dropped at the end of the test.
func ClusterURL(t testing.TB, c *cluster.Cluster) string {
	t.Helper()
	template, err := postgresTemplate(context.Background(), c)
	require.NoError(t, err, "creating the PostgreSQL template")
	return cloneDatabase(t, c, template)
}

func sharedOrFail(t testing.TB) *cluster.Cluster {
	t.Helper()
	c, err := sharedCluster()
	require.NoError(t, err)
	return c
}

// cloneDatabase creates a database on the server from one of the server's templates.
func cloneDatabase(t testing.TB, c *cluster.Cluster, template string) string {
	t.Helper()
	name := typeid.Must(typeid.WithPrefix("test")).String()
	require.NoError(t, execAdmin(c, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template)))
	t.Cleanup(func() {
		err := execAdmin(c, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name))
		var down *pgconn.ConnectError
		if !errors.As(err, &down) { // the test may have stopped its server
			require.NoError(t, err)
		}
	})
	return c.URL(name)
}

// execAdmin executes one statement on a connection of its own. The goroutines of a pool that outlived the tests would
// be reported as leaks.
func execAdmin(c *cluster.Cluster, statement string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// postgresTemplate returns the name of the template database and creates it if it does not exist. The name contains a
// hash of the migrations, so that test binaries built from different migrations can share a server.
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
	// Closing the connection releases the advisory lock.
	return name, errors.Join(createTemplate(ctx, c, conn, name), conn.Close(ctx))
}

func createTemplate(ctx context.Context, c *cluster.Cluster, conn *pgx.Conn, name string) error {
	const advisoryLock = 7261
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", advisoryLock); err != nil {
		return err
	}
	var exists bool
	err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err != nil || exists {
		return err
	}
	// The database is renamed last, so that an incomplete template is never used.
	const draft = "template_draft"
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + draft + " WITH (FORCE)",
		"CREATE DATABASE " + draft,
	} {
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

// schemaHash returns a hash of all PostgreSQL migrations.
func schemaHash() (string, error) {
	files, err := migrations.Files(dialect.Postgres)
	if err != nil {
		return "", err
	}
	sum, err := migrations.Checksum(files)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(sum)
	return hex.EncodeToString(hash[:8]), nil
}

// PostgresPath returns a PATH with the client programs of the shared PostgreSQL server.
func PostgresPath(t testing.TB) string {
	t.Helper()
	return sharedOrFail(t).Programs() + string(os.PathListSeparator) + os.Getenv("PATH")
}
