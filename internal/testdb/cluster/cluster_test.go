package cluster

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// childVariable makes this test binary a program that starts a cluster and waits until it is killed.
const childVariable = "ERRAND_TEST_CLUSTER_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		c, err := New(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(c.home)
		select {}
	}
	goleak.VerifyTestMain(m)
}

func connect(c *Cluster) error {
	conn, err := pgx.Connect(context.Background(), c.URL("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(context.Background())
}

func TestCluster_StopStartClose_Succeeds(t *testing.T) {
	ctx := context.Background()
	c, err := New(ctx)
	require.NoError(t, err)
	require.NoError(t, connect(c))
	for _, crash := range []bool{false, true} {
		require.NoError(t, c.Stop(ctx, crash))
		require.Error(t, connect(c))
		require.NoError(t, c.Start(ctx))
		require.NoError(t, connect(c))
	}
	require.NoError(t, c.Close())
	require.Error(t, connect(c))
	require.NoDirExists(t, c.home)
}

func TestStandby_Promoted_AcceptsWrites(t *testing.T) {
	ctx := context.Background()
	primary, err := NewPrimary(ctx)
	require.NoError(t, err)
	standby, err := primary.NewStandby(ctx)
	require.NoError(t, err)
	conn, err := pgx.Connect(ctx, standby.URL("postgres"))
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "CREATE TABLE t ()")
	require.ErrorContains(t, err, "read-only transaction")
	require.NoError(t, primary.Stop(ctx, true))
	require.NoError(t, standby.Promote(ctx))
	_, err = conn.Exec(ctx, "CREATE TABLE t ()")
	require.NoError(t, err)
	require.NoError(t, conn.Close(ctx))
	require.NoError(t, standby.Close())
	require.NoError(t, primary.Close())
}

func TestShared_TwoCalls_ReturnOneServer(t *testing.T) {
	first, err := Shared(context.Background())
	require.NoError(t, err)
	second, err := Shared(context.Background())
	require.NoError(t, err)
	require.Equal(t, first.URL("x"), second.URL("x"))
	require.NoError(t, first.Release())
	require.NoError(t, connect(second))
	require.NoError(t, second.Release())
}

func TestNew_ProcessKilled_ServerAndDataRemoved(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "the child process started no cluster")
	c := &Cluster{home: lines.Text(), server: server{dir: filepath.Join(lines.Text(), "server")}}
	require.NoError(t, connect(c))

	watchLock, err := os.OpenFile(filepath.Join(c.home, watchFile), os.O_RDWR, 0)
	require.NoError(t, err)
	defer watchLock.Close()
	require.NoError(t, child.Process.Kill())
	require.Error(t, child.Wait())

	require.NoError(t, flock(watchLock, syscall.LOCK_EX), "the watcher releases its lock when it ends")
	require.NoDirExists(t, c.home)
	require.Error(t, connect(c))
}
