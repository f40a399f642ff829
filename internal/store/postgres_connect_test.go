package store_test

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
)

// rejectingServer returns the address of a server that refuses TLS and rejects each session with the error.
func rejectingServer(t *testing.T, code, message string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	t.Cleanup(func() { require.NoError(t, l.Close()); group.Wait() })
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { reject(conn, code, message) })
		}
	})
	return l.Addr().String()
}

func reject(conn net.Conn, code, message string) {
	defer conn.Close()
	backend := pgproto3.NewBackend(conn, conn)
	for {
		startup, err := backend.ReceiveStartupMessage()
		if err != nil {
			return
		}
		if _, ok := startup.(*pgproto3.SSLRequest); ok {
			if _, err := conn.Write([]byte("N")); err != nil {
				return
			}
			continue
		}
		backend.Send(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: code, Message: message})
		_ = backend.Flush()
		return
	}
}

func TestOpenPostgres_PermanentFailure_FailsAtOnceWithReason(t *testing.T) {
	live, err := url.Parse(testdb.PostgresURL(t))
	require.NoError(t, err)
	password := rejectingServer(t, "28P01", `password authentication failed for user "u"`)
	pooler := rejectingServer(t, "08P01", "unsupported startup parameter: x")
	poolerLogin := rejectingServer(t, "08P01", "SASL authentication failed")
	const tlsRefused = "server refused TLS connection"
	for name, tc := range map[string]struct{ url, reason string }{
		"TLS refused":      {"postgres://u@" + password + "/db?sslmode=require", tlsRefused},
		"TLS on two hosts": {"postgres://u@127.0.0.1:1," + password + "/db?sslmode=require", tlsRefused},
		"wrong password":   {"postgres://u:x@" + password + "/db", "password authentication failed"},
		"second host":      {"postgres://u:x@127.0.0.1:1," + password + "/db", "password authentication failed"},
		"unknown database": {live.String() + "&dbname=absent", `database "absent" does not exist`},
		"unknown role":     {live.String() + "&user=absent", `role "absent" does not exist`},
		"unknown option":   {live.String() + "&fooBar=1", `unrecognized configuration parameter "fooBar"`},
		"pooler's option":  {"postgres://u@" + pooler + "/db", "unsupported startup parameter"},
		"pooler's login":   {"postgres://u:x@" + poolerLogin + "/db", "SASL authentication failed"},
		"too old":          {"postgres://u@" + rejectingServer(t, "0A000", "unsupported protocol") + "/db", "unsupported"},
		// An invalid name fails like one that does not exist, without a name server.
		"unknown host":     {"postgres://u@absent..invalid/db", "absent..invalid"},
		"no socket folder": {"postgres:///db?host=/absent/run", "/absent/run"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.Open(context.Background(), store.Options{URL: tc.url, Logger: slog.New(slog.DiscardHandler)})
			require.ErrorContains(t, err, tc.reason)
			require.Contains(t, err.Error(), "attempts: 1)", "no retry")
		})
	}
}

func TestOpenPostgres_TransientFailure_Retries(t *testing.T) {
	pooler := rejectingServer(t, "08P01", "server login has been failing, try again later")
	for name, url := range map[string]string{
		"refused":      "postgres://u@127.0.0.1:1/db?sslmode=require",
		"starting up":  "postgres://u@" + rejectingServer(t, "57P03", "the database system is starting up") + "/db",
		"full":         "postgres://u@" + rejectingServer(t, "53300", "sorry, too many clients already") + "/db",
		"pooler waits": "postgres://u@" + pooler + "/db",
		"no socket":    "postgres:///db?host=" + t.TempDir(),
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			_, err := store.Open(context.Background(), store.Options{
				URL: url, StartupTimeout: 250 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			require.Error(t, err)
			require.NotContains(t, err.Error(), "attempts: 1)")
			require.Contains(t, log.String(), "waiting for PostgreSQL", "the reason is logged at the first attempt")
		})
	}
}

func TestOpenPostgres_OptionsOfOtherClients_Connects(t *testing.T) {
	var log strings.Builder
	db, err := store.Open(context.Background(), store.Options{
		URL: testdb.PostgresURL(t) + "&pgbouncer=true&schema=public&connection_limit=3&pool_timeout=2&gssencmode=disable" +
			"&keepalives=1&keepalives_idle=30&uselibpqcompat=true&channel_binding=prefer&target_session_attrs=read-write",
		StatementCache: true,
		Logger:         slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	defer db.Close()
	require.Equal(t, 3, db.PoolStats().Max)
	require.Equal(t, 1, strings.Count(log.String(), "meant for other clients"))
	require.Contains(t, log.String(), "pool_timeout")
}

func TestOpenPostgres_PoolerInTransactionMode_IsDetected(t *testing.T) {
	pooler := testdb.NewPooler(t, testdb.PostgresURL(t))
	var log strings.Builder
	db, err := store.Open(context.Background(), store.Options{
		URL: pooler.URL(), StatementCache: true, RLS: store.RLSOn, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	require.NoError(t, err)
	defer db.Close()
	require.Contains(t, log.String(), "pooler in transaction mode")
	addUser(t, db.Client(), "alice")
	tx, err := db.Client().Tx(system())
	require.NoError(t, err)
	require.Equal(t, 1, countUsers(t, db), "while another session is in a transaction")
	require.NoError(t, tx.Rollback())
	// The role of row-level security must not stay on a session that another client gets next.
	conn, err := pgx.Connect(context.Background(), pooler.URL())
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var session, current string
	require.NoError(t, conn.QueryRow(context.Background(), "SELECT session_user, current_user",
		pgx.QueryExecModeSimpleProtocol).Scan(&session, &current))
	require.Equal(t, session, current)
}

func TestOpenPostgres_DirectURL_IsUsedOutsideThePool(t *testing.T) {
	url := testdb.PostgresURL(t)
	pooler := testdb.NewPooler(t, url)
	db, err := store.Open(context.Background(), store.Options{
		URL: pooler.URL(), DirectURL: url, StatementCache: true, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.EnsureSchema(context.Background(), true))
	conn, err := pgx.ConnectConfig(context.Background(), db.PostgresConfig())
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var pid uint32
	require.NoError(t, conn.QueryRow(context.Background(), "SELECT pg_backend_pid()").Scan(&pid))
	require.Equal(t, conn.PgConn().PID(), pid)
}

func TestMigratorUp_PoolerInTransactionMode_NeedsDirectURL(t *testing.T) {
	url := testdb.EmptyPostgresURL(t)
	pooler := testdb.NewPooler(t, url)
	ctx := context.Background()
	require.ErrorIs(t, testdb.Open(t, pooler.URL()).EnsureSchema(ctx, true), store.ErrTransactionPooled)
	db, err := store.Open(ctx, store.Options{
		URL: pooler.URL(), DirectURL: url, StatementCache: true, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.EnsureSchema(ctx, true))
	require.NoError(t, testdb.Open(t, pooler.URL()).EnsureSchema(ctx, true), "nothing is left to do")
}
