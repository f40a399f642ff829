package store

import (
	"testing"
	"time"

	"errand/internal/dburl"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func configFor(t *testing.T, raw string) *pgx.ConnConfig {
	t.Helper()
	u, err := dburl.Parse(raw)
	require.NoError(t, err)
	config, err := postgresConfig(u, Options{StatementCache: true})
	require.NoError(t, err)
	return config
}

func TestPostgresConfig_TLSOptions_AreKept(t *testing.T) {
	config := configFor(
		t,
		"postgres://alice@db.example/errand?sslmode=verify-full&channel_binding=require&connect_timeout=9",
	)
	require.Equal(t, "db.example", config.TLSConfig.ServerName)
	require.False(t, config.TLSConfig.InsecureSkipVerify)
	require.Equal(t, "require", config.ChannelBinding)
	require.Equal(t, 9*time.Second, config.ConnectTimeout)
	require.Empty(t, config.Fallbacks, "no fallback to an unencrypted connection")
}

func TestPostgresConfig_NoOptions_HasDeerrs(t *testing.T) {
	config := configFor(t, "postgres://alice@db.example/errand")
	require.Equal(t, connectTimeout, config.ConnectTimeout)
	require.Equal(t, "errand", config.RuntimeParams["application_name"])
	require.Equal(t, pgx.QueryExecModeCacheStatement, config.DefaultQueryExecMode)
}

func TestLibpqURL_SeveralHosts_KeepsThemAndSelectsThePrimary(t *testing.T) {
	db := &DB{postgres: configFor(t, "postgres://alice:s3cret@one:5433,two:5434/errand?pgbouncer=true&sslmode=disable")}
	got := libpqURL(db, "")
	require.Equal(t, "postgres://alice@one:5433,two:5434/errand?sslmode=disable&target_session_attrs=read-write", got)
}
