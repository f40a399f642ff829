package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"errand/internal/ids"
	"errand/internal/store"
	"errand/internal/testdb"

	"github.com/stretchr/testify/require"
)

func TestFailover_StandbyPromoted_PoolMovesToIt(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *testdb.Pair){
		"primary crashes": func(t *testing.T, p *testdb.Pair) {
			require.NoError(t, p.Primary.Stop(context.Background(), true))
		},
		"primary becomes read-only": func(t *testing.T, p *testdb.Pair) { p.Demote(t); p.AwaitStandby(t) },
	} {
		t.Run(name, func(t *testing.T) {
			pair := testdb.NewPair(t)
			db := testdb.Open(t, pair.URL)
			l := startLock(t, db, "a")
			fillPool(t, db)
			addUser(t, db.Client(), "alice")
			pair.AwaitStandby(t)
			end(t, pair)
			pair.Promote(t)

			// The lock's connection finds out by itself, and moves the pool too, also where nothing is written.
			awaitLockOn(t, l, pair.StandbyURL())
			for i := range 2 * db.PoolStats().Max {
				require.NoError(t, store.CheckWritable(context.Background(), db))
				addUser(t, db.Client(), fmt.Sprint("bob", i))
			}
			var onStandby int
			rows, err := testdb.Open(t, pair.StandbyURL()).Client().QueryContext(system(), "SELECT count(*) FROM users")
			require.NoError(t, err)
			defer rows.Close()
			require.True(t, rows.Next())
			require.NoError(t, rows.Scan(&onStandby))
			require.Equal(t, 1+2*db.PoolStats().Max, onStandby)
		})
	}
}

// awaitLockOn waits until the lock "a" is held on the server of url, and settled. Its changes alone do not suffice:
// on a slow machine the lock may be lost for other reasons before.
func awaitLockOn(t *testing.T, l *store.SessionLock, url string) {
	t.Helper()
	db := testdb.Open(t, url)
	require.Eventually(t, func() bool { return !unlocked(t, db, "a") }, time.Minute, 10*time.Millisecond)
	require.Eventually(t, l.Settled, time.Minute, 10*time.Millisecond)
}

// A machine that is gone does not close its connections, and new ones wait for it.
func TestFailover_PrimaryHangs_PoolMovesToStandby(t *testing.T) {
	pair := testdb.NewPair(t)
	primary := newHangingProxy(t, pair.PrimaryURL())
	second := newHangingProxy(t, pair.StandbyURL())
	u, err := url.Parse(pair.URL)
	require.NoError(t, err)
	u.RawQuery = url.Values{"host": {primary.dir + "," + second.dir}, "sslmode": {"disable"}}.Encode()
	db := testdb.Open(t, u.String())
	l := startLock(t, db, "a")
	fillPool(t, db)
	pair.AwaitStandby(t)
	primary.hang()
	waiting := make(chan error, 1)
	go func() { waiting <- db.Ping(context.Background()) }()
	pair.Promote(t)
	awaitLockOn(t, l, pair.StandbyURL())
	// The statement that waits for the former primary, on an idle connection, ends or moves too.
	select {
	case err := <-waiting:
		require.True(t, err == nil || store.IsUnavailable(err), "%v", err)
	case <-time.After(lockTestTimeout):
		require.FailNow(t, "a statement waits for the former primary")
	}
	dialed := primary.dialed()
	for i := range 2 * db.PoolStats().Max {
		addUser(t, db.Client(), fmt.Sprint("bob", i))
	}
	require.Equal(t, dialed, primary.dialed(), "new connections do not try the former primary first")
}

// hangingProxy forwards connections to a server's socket until it hangs: then it accepts connections, and forwards
// nothing.
type hangingProxy struct {
	dir    string
	target string

	mu    sync.Mutex
	hangs bool
	conns []net.Conn
	group sync.WaitGroup
}

func newHangingProxy(t *testing.T, target string) *hangingProxy {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	const socket = ".s.PGSQL.5432"
	p := &hangingProxy{dir: t.TempDir(), target: filepath.Join(u.Query().Get("host"), socket)}
	l, err := net.Listen("unix", filepath.Join(p.dir, socket))
	require.NoError(t, err)
	p.group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.forward(conn)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.group.Wait()
	})
	return p
}

func (p *hangingProxy) forward(client net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, client)
	if p.hangs {
		return
	}
	server, err := net.Dial("unix", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.conns = append(p.conns, server)
	p.group.Go(func() { p.copy(server, client) })
	p.group.Go(func() { p.copy(client, server) })
}

func (p *hangingProxy) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if p.isHanging() {
			return
		}
		if err == nil {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			_ = errors.Join(to.Close(), from.Close())
			return
		}
	}
}

func (p *hangingProxy) isHanging() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hangs
}

func (p *hangingProxy) hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hangs = true
}

// dialed returns the number of open connections that the proxy has accepted, and those to the server.
func (p *hangingProxy) dialed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// fillPool opens all connections of the pool.
func fillPool(t *testing.T, db *store.DB) {
	t.Helper()
	txs := make([]interface{ Rollback() error }, db.PoolStats().Max)
	for i := range txs {
		tx, err := db.Client().Tx(system())
		require.NoError(t, err)
		txs[i] = tx
	}
	for _, tx := range txs {
		require.NoError(t, tx.Rollback())
	}
}

// One failed write is enough, without any other connection.
func TestFailover_WriteOnFormerPrimary_ReplacesAllConnections(t *testing.T) {
	pair := testdb.NewPair(t)
	db := testdb.Open(t, pair.URL)
	fillPool(t, db)
	pair.Demote(t)
	pair.AwaitStandby(t)
	pair.Promote(t)
	require.Eventually(t, func() bool { // the sessions reload their settings one after the other
		_, err := db.Client().User.Create().SetSubject(ids.New("sub")()).Save(system())
		require.True(t, err == nil || store.IsUnavailable(err), "%v", err)
		return err != nil
	}, time.Minute, time.Millisecond)
	for i := range 2 * db.PoolStats().Max {
		addUser(t, db.Client(), fmt.Sprint("alice", i))
	}
}

func TestOpenPostgres_ReadOnlyServer_IsReportedAsSuch(t *testing.T) {
	pair := testdb.NewPair(t)
	_, err := store.Open(context.Background(), store.Options{
		URL: pair.StandbyURL(), StartupTimeout: -1, Logger: slog.New(slog.DiscardHandler),
	})
	require.ErrorIs(t, err, store.ErrReadOnly)
	db := testdb.Open(t, pair.PrimaryURL())
	require.NoError(t, store.CheckWritable(context.Background(), db))
	pair.Demote(t)
	require.Eventually(t, func() bool {
		return store.CheckWritable(context.Background(), db) != nil
	}, time.Minute, time.Millisecond)
	err = store.CheckWritable(context.Background(), db)
	require.ErrorIs(t, err, store.ErrReadOnly)
	require.True(t, store.IsUnavailable(err))
}
