package store

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestPostgresConfig_TLSOptions_AreKept(t *testing.T) {
	config, err := postgresConfig(
		Options{URL: "postgres://alice@db.example/errand?sslmode=verify-full&channel_binding=require&connect_timeout=9"},
	)
	require.NoError(t, err)
	require.Equal(t, "db.example", config.TLSConfig.ServerName)
	require.False(t, config.TLSConfig.InsecureSkipVerify)
	require.Equal(t, "require", config.ChannelBinding)
	require.Equal(t, 9*time.Second, config.ConnectTimeout)
	require.Empty(t, config.Fallbacks, "no fallback to an unencrypted connection")
}

func TestPostgresConfig_NoOptions_HasDeerrs(t *testing.T) {
	config, err := postgresConfig(Options{URL: "postgres://alice@db.example/errand", StatementCache: true})
	require.NoError(t, err)
	require.Equal(t, connectTimeout, config.ConnectTimeout)
	require.Equal(t, "errand", config.RuntimeParams["application_name"])
	require.Equal(t, pgx.QueryExecModeCacheStatement, config.DefaultQueryExecMode)
}
