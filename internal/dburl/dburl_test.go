package dburl_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"errand/internal/dburl"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestParse_SQLitePaths_AsOtherClientsWriteThem(t *testing.T) {
	for raw, want := range map[string]string{
		"sqlite:x.db":                  "x.db",
		"sqlite:./x.db":                "./x.db",
		"sqlite:../x.db":               "../x.db",
		"sqlite:/srv/x.db":             "/srv/x.db",
		"sqlite://x.db":                "x.db",
		"sqlite://./x.db":              "./x.db",
		"sqlite:///srv/x.db":           "/srv/x.db",
		"sqlite:///./x.db":             "./x.db",
		"sqlite:///../data/x.db":       "../data/x.db",
		"sqlite:////srv/x.db":          "/srv/x.db",
		"sqlite:///C:/data/x.db":       "C:/data/x.db",
		"sqlite+aiosqlite:///./x.db":   "./x.db",
		"sqlite3:db/production.sqlite": "db/production.sqlite",
	} {
		u, err := dburl.Parse(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, u.SQLitePath, raw)
		require.Equal(t, "sqlite:"+want, u.Redacted)
	}
	for _, raw := range []string{
		"sqlite:", "sqlite:///", "sqlite://", "sqlite::memory:", "sqlite:///x.db?mode=ro", "sqlite",
	} {
		_, err := dburl.Parse(raw)
		require.Error(t, err, raw)
	}
}

// Each URL is one that a provider or a client's documentation shows. The driver must accept the result.
func TestParse_URLsOfOtherClients_Translated(t *testing.T) {
	for _, tc := range []struct{ raw, want string }{
		{
			"postgresql://u:p@ep-x-pooler.eu.aws.neon.tech/db?sslmode=require&channel_binding=require",
			"postgres://u:p@ep-x-pooler.eu.aws.neon.tech/db?channel_binding=require&sslmode=require",
		},
		{
			"postgres://u:p@aws-0.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1",
			"postgres://u:p@aws-0.pooler.supabase.com:6543/postgres",
		},
		{
			"postgres://u:p@h/db?sslmode=require&supa=base-pooler.x&workaround=supabase-pooler.vercel",
			"postgres://u:p@h/db?sslmode=require",
		},
		{
			"postgresql://u:p@h:5432/db?schema=public&connection_limit=5&pool_timeout=10&socket_timeout=5",
			"postgres://u:p@h:5432/db",
		},
		{
			"postgresql://u:p@h/db?schema=My+App",
			"postgres://u:p@h/db?search_path=%22My%20App%22",
		},
		{
			"postgresql://u:p@h/db?schema=app&search_path=b",
			"postgres://u:p@h/db?search_path=b",
		},
		{
			"postgresql://u:p@h/db?sslaccept=strict&sslmode=require",
			"postgres://u:p@h/db?sslmode=verify-full",
		},
		{
			"postgres://u:p@h/db?sslmode=no-verify&uselibpqcompat=true",
			"postgres://u:p@h/db?sslmode=require",
		},
		{
			"postgres://u:p@h/db?ssl=true",
			"postgres://u:p@h/db?sslmode=require",
		},
		{
			"postgresql+asyncpg://u:p@h/db?ssl=verify-full",
			"postgres://u:p@h/db?sslmode=verify-full",
		},
		{
			"postgresql+psycopg2://u:p@h/db?client_encoding=utf8&gssencmode=disable",
			"postgres://u:p@h/db",
		},
		{
			"postgresql+asyncpg://u:p@h/db?prepared_statement_cache_size=0",
			"postgres://u:p@h/db",
		},
		{
			"postgresql://u:p@h1:1,h2:2,[::1]:3/db?target_session_attrs=read-write",
			"postgres://u:p@h1:1,h2:2,[::1]:3/db?target_session_attrs=read-write",
		},
		{
			"postgres://u:p%40ss%2Fw@h/db?options=-c%20search_path%3Dx&application_name=a%20b",
			"postgres://u:p%40ss%2Fw@h/db?application_name=a%20b&options=-c%20search_path%3Dx",
		},
		{
			"postgres:///db?host=/run/postgresql",
			"postgres:///db?host=%2Frun%2Fpostgresql",
		},
		{
			"postgres://u@h/db?keepalives=1&keepalives_idle=7&keepalives_interval=2&keepalives_count=3",
			"postgres://u@h/db",
		},
		{
			"postgres://u@h/db?user=b&password=c&ApplicationName=x&loginTimeout=3&prepareThreshold=0&ssl=false",
			"postgres://u@h/db?application_name=x&password=c&sslmode=disable&user=b",
		},
		{
			"postgres://u@h/db?statement_timeout=5000&errand.mark=1",
			"postgres://u@h/db?errand.mark=1&statement_timeout=5000",
		},
	} {
		u, err := dburl.Parse(tc.raw)
		require.NoError(t, err, tc.raw)
		require.Equal(t, tc.want, u.Postgres.Reveal(), tc.raw)
		_, err = pgx.ParseConfig(u.Postgres.Reveal())
		require.NoError(t, err, tc.raw)
		require.NotContains(t, u.Redacted, "p@")
	}
}

func TestParse_PoolAndConnectionOptions_Returned(t *testing.T) {
	u, err := dburl.Parse("postgres://u@h/db?pgbouncer=true&connection_limit=7&pool_timeout=1&max=3" +
		"&keepalives_idle=7&keepalives_interval=2&keepalives_count=3&tcp_user_timeout=4000")
	require.NoError(t, err)
	require.Equal(t, 7, u.MaxConns)
	require.True(t, u.NoPreparedStatements)
	require.Equal(t, 7*time.Second, u.KeepAlive.Config.Idle)
	require.Equal(t, 2*time.Second, u.KeepAlive.Config.Interval)
	require.Equal(t, 3, u.KeepAlive.Config.Count)
	require.Equal(t, 4*time.Second, u.KeepAlive.UserTimeout)
	require.Equal(t, []string{"max", "pool_timeout"}, u.Dropped)
	for _, off := range []string{
		"prepareThreshold=0", "prepared_statements=false", "statement_cache_size=0", "prepare=false",
	} {
		u, err := dburl.Parse("postgres://u@h/db?" + off)
		require.NoError(t, err)
		require.True(t, u.NoPreparedStatements, off)
	}
}

func TestParse_OptionThatCannotBeHonoured_NamesItOnly(t *testing.T) {
	for option, value := range map[string]string{
		"sslmode": "hunter2", "ssl": "hunter2", "gssencmode": "require", "channel_binding": "hunter2",
		"target_session_attrs": "read-only", "targetServerType": "secondary", "keepalives_idle": "hunter2",
		"tcp_user_timeout": "-1", "connection_limit": "0", "pgbouncer": "hunter2", "sslrootcert": "/absent/hunter2",
		"sslcrl": "hunter2", "hostaddr": "1.2.3.4", "replication": "database", "client_encoding": "latin1",
		"connect_timeout": "soon", "sslidentity": "x", "schema": "", "ssl_min_protocol_version": "TLSv1.3",
	} {
		_, err := dburl.Parse("postgres://u:hunter2@h/db?" + option + "=" + value)
		var refused *dburl.OptionError
		require.ErrorAs(t, err, &refused, option)
		require.Equal(t, option, refused.Option)
		require.ErrorContains(t, err, option)
		require.NotContains(t, err.Error(), "hunter2")
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, nil, 0o600))
	_, err := dburl.Parse("postgres://u@h/db?sslrootcert=" + ca)
	require.NoError(t, err)
}

func TestParse_MalformedURL_Fails(t *testing.T) {
	for _, raw := range []string{
		"", "errand.db", "mysql://h/db", "postgres:db", "postgres://u:p#w@h:x/db", "postgres://u:%zz@h/db",
		"postgres://u:p@h:port/db", "postgres://h:1,h2:x/db", "jdbc:postgresql://h/db", "postgresql+a b://h/db",
		"postgres://h/db#", "postgres://h/db?a%20b=1",
		"postgres://u:12/hunter2@h/db", "postgres://u:1?hunter2@h/db", "postgres://u:1#hunter2@h/db",
	} {
		_, err := dburl.Parse(raw)
		require.Error(t, err, raw)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
