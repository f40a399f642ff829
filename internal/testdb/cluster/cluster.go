// Package cluster runs temporary PostgreSQL servers for tests and tools.
//
// Each server has a private directory and listens on a Unix socket in it. The server is stopped and its directory
// removed soon after the last process that uses it has ended, even if that process was killed: every user of a cluster
// holds a shared file lock, which the kernel releases, and a watcher process waits for the exclusive lock.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sharedGrace is the time that the shared server outlives its last user. It spans the gap between two test binaries.
const sharedGrace = 10 * time.Second

// Cluster is a PostgreSQL server with its data directory.
type Cluster struct {
	server    server
	home      string   // directory of the server and the lock files
	usersLock *os.File // held in shared mode while this process uses the cluster
	watcher   *exec.Cmd
}

// New starts a server for the caller only, who may stop and restart it, and must call Close.
func New(ctx context.Context) (*Cluster, error) { return start(ctx, origin{}) }

// NewPrimary is New for a server that NewStandby can copy.
func NewPrimary(ctx context.Context) (*Cluster, error) { return start(ctx, origin{replicating: true}) }

// NewStandby starts a read-only copy of a server of NewPrimary, which follows its changes. The caller must call Close.
func (c *Cluster) NewStandby(ctx context.Context) (*Cluster, error) {
	return start(ctx, origin{primary: &c.server})
}

// Promote makes a standby a primary, and waits until it accepts writes.
func (c *Cluster) Promote(ctx context.Context) error {
	return c.server.run(ctx, "pg_ctl", "-D", c.server.data(), "-w", "-t", "60", "promote")
}

// FailoverURL returns the connection string of a database on any of the servers.
func FailoverURL(database string, servers ...*Cluster) string {
	hosts := make([]string, len(servers))
	for i, c := range servers {
		hosts[i] = c.server.dir
	}
	return serverURL(database, strings.Join(hosts, ","))
}

func start(ctx context.Context, from origin) (*Cluster, error) {
	home, err := os.MkdirTemp(baseDir(), "errand-postgres-")
	if err != nil {
		return nil, err
	}
	c, err := join(ctx, home, 0, from)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(home))
	}
	return c, nil
}

// Shared returns the server that all test processes of the operating system user share, and starts it if it is not
// running. The caller may call Release; otherwise the end of the process releases the server.
func Shared(ctx context.Context) (*Cluster, error) {
	home := filepath.Join(baseDir(), "errand-postgres-shared-"+strconv.Itoa(os.Geteuid()))
	for {
		c, err := join(ctx, home, sharedGrace, origin{})
		if !errors.Is(err, errRemoved) {
			return c, err
		}
	}
}

// baseDir returns the parent directory of clusters. It prefers a memory file system with at least 2 GiB free, as
// creating and dropping a database writes hundreds of files. It does not use os.TempDir: the path of a Unix socket is
// limited to about 100 bytes, and the server's user must be able to reach it.
func baseDir() string {
	const memory, enough = "/dev/shm", 2 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= enough {
		return memory
	}
	return "/tmp"
}

var errRemoved = errors.New("the cluster was removed concurrently")

// join takes the shared lock of the cluster in home, and starts the server and the watcher if they are not running. It
// returns errRemoved if a watcher removed the cluster in the meantime.
func join(ctx context.Context, home string, grace time.Duration, from origin) (*Cluster, error) {
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chmod(home, 0o755); err != nil { // the server's user needs access, independent of the umask
		return nil, err
	}
	users, err := lockFile(filepath.Join(home, usersFile), syscall.LOCK_SH)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errRemoved
	}
	if err != nil {
		return nil, err
	}
	if !isSameFile(filepath.Join(home, usersFile), users) {
		return nil, errors.Join(errRemoved, users.Close())
	}
	c := &Cluster{home: home, usersLock: users, server: server{origin: from}}
	if err := c.startLocked(ctx, grace); err != nil {
		return nil, errors.Join(err, users.Close())
	}
	return c, nil
}

// startLocked starts the server and the watcher under an exclusive lock, so that one of several processes does it.
func (c *Cluster) startLocked(ctx context.Context, grace time.Duration) error {
	startLock, err := lockFile(filepath.Join(c.home, "start.lock"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer startLock.Close()
	if err := c.startServer(ctx); err != nil {
		return fmt.Errorf("starting a PostgreSQL server for tests: %w", err)
	}
	// The watcher is started after the server, which it stops.
	watchLock, err := lockFile(filepath.Join(c.home, watchFile), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := watchLock.Close(); err != nil {
		return err
	}
	c.watcher, err = startWatcher(c.server, c.home, grace)
	return err
}

// startServer creates the data directory if it is not complete and starts the server if it is not running.
func (c *Cluster) startServer(ctx context.Context) error {
	bin, err := findOrInstallBinaries(ctx)
	if err != nil {
		return err
	}
	acct, err := serverAccount()
	if err != nil {
		return err
	}
	c.server = server{bin: bin, dir: filepath.Join(c.home, "server"), account: acct, origin: c.server.origin}
	ready := filepath.Join(c.home, "ready")
	if _, err := os.Stat(ready); err != nil {
		if err := os.RemoveAll(c.server.dir); err != nil { // a killed process may have left it incomplete
			return err
		}
		if err := os.Mkdir(c.server.dir, 0o700); err != nil {
			return err
		}
		if err := c.server.create(ctx); err != nil {
			return err
		}
		if err := os.WriteFile(ready, nil, 0o600); err != nil {
			return err
		}
	}
	if c.server.isRunning(ctx) {
		return nil
	}
	return c.server.start(ctx)
}

// Log returns the path of the server's log file.
func (c *Cluster) Log() string { return c.server.log() }

// URL returns the connection string of a database of the cluster. The database "postgres" always exists.
func (c *Cluster) URL(database string) string { return c.server.url(database) }

// Programs returns the folder of the server's programs, which has pg_dump and pg_restore too.
func (c *Cluster) Programs() string { return c.server.bin }

// Stop stops the server and keeps its data. With crash it aborts all processes without a checkpoint.
func (c *Cluster) Stop(ctx context.Context, crash bool) error {
	mode := "fast"
	if crash {
		mode = "immediate"
	}
	return c.server.stop(ctx, mode)
}

// Start starts a stopped server and waits until it accepts connections.
func (c *Cluster) Start(ctx context.Context) error { return c.server.start(ctx) }

// Release ends the use of the cluster by this process. The end of the process has the same effect.
func (c *Cluster) Release() error { return c.usersLock.Close() }

// Close stops a cluster created by New and waits until the server has ended and its data are removed.
func (c *Cluster) Close() error {
	if err := c.Release(); err != nil {
		return err
	}
	return c.watcher.Wait()
}
