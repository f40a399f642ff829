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

// victimVariable makes this test binary a program that starts a cluster and waits to be killed.
const victimVariable = "ERRAND_TEST_CLUSTER_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
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

func TestAClusterCanBeStoppedStartedAndClosed(t *testing.T) {
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

func TestTheSharedClusterIsOne(t *testing.T) {
	first, err := Shared(context.Background())
	require.NoError(t, err)
	second, err := Shared(context.Background())
	require.NoError(t, err)
	require.Equal(t, first.URL("x"), second.URL("x"))
	require.NoError(t, first.Leave())
	require.NoError(t, connect(second))
	require.NoError(t, second.Leave())
}

func TestAKilledProcessLeavesNothingBehind(t *testing.T) {
	victim := exec.Command(os.Args[0])
	victim.Env = append(os.Environ(), victimVariable+"=1")
	victim.Stderr = os.Stderr
	out, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "the victim started no cluster")
	c := &Cluster{home: lines.Text(), server: server{dir: filepath.Join(lines.Text(), "server")}}
	require.NoError(t, connect(c))

	watching, err := os.OpenFile(filepath.Join(c.home, watchFile), os.O_RDWR, 0)
	require.NoError(t, err)
	defer watching.Close()
	require.NoError(t, victim.Process.Kill())
	require.Error(t, victim.Wait())

	require.NoError(t, flock(watching, syscall.LOCK_EX), "the watcher lets go when it is done")
	require.NoDirExists(t, c.home)
	require.Error(t, connect(c))
}
