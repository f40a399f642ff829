// Package cluster runs throwaway PostgreSQL servers for tests and tools. Each
// has a private folder and socket and ends, with all its data, soon after the
// last process that uses it, even when that is killed.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// sharedGrace keeps the shared server for the next package's tests.
const sharedGrace = 10 * time.Second

// Cluster is a running PostgreSQL server.
type Cluster struct {
	server  server
	home    string   // folder of everything, the locks included
	users   *os.File // held shared for as long as this process uses the cluster
	watcher *exec.Cmd
}

// New starts a server for the caller alone, who may stop and restart it. Close it in the end.
func New(ctx context.Context) (*Cluster, error) {
	home, err := os.MkdirTemp(base(), "errand-postgres-")
	if err != nil {
		return nil, err
	}
	c, err := join(ctx, home, 0)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(home))
	}
	return c, nil
}

// Shared joins the server that all test processes of this user share, starting
// it when there is none. It lives until shortly after the last of them.
func Shared(ctx context.Context) (*Cluster, error) {
	home := filepath.Join(base(), "errand-postgres-shared-"+strconv.Itoa(os.Geteuid()))
	for {
		c, err := join(ctx, home, sharedGrace)
		if !errors.Is(err, errGone) {
			return c, err
		}
	}
}

// base is where clusters live: in memory where there is plenty, as making and
// dropping a database writes hundreds of files. It is not os.TempDir(): a socket's
// path has room for about 100 bytes, and the server's user must reach it.
func base() string {
	const memory, enough = "/dev/shm", 2 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= enough {
		return memory
	}
	return "/tmp"
}

var errGone = errors.New("the cluster was removed while we waited for it")

// join becomes a user of the cluster in home and starts what does not run yet: server and watcher.
func join(ctx context.Context, home string, grace time.Duration) (*Cluster, error) {
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chmod(home, 0o755); err != nil { // The server's user must pass through, whatever the umask.
		return nil, err
	}
	users, err := lockFile(filepath.Join(home, usersFile), syscall.LOCK_SH)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	if !isStill(filepath.Join(home, usersFile), users) {
		return nil, errors.Join(errGone, users.Close())
	}
	c := &Cluster{home: home, users: users}
	if err := c.bringUp(ctx, grace); err != nil {
		return nil, errors.Join(err, users.Close())
	}
	return c, nil
}

// bringUp holds a lock, so that of several processes one does the work.
func (c *Cluster) bringUp(ctx context.Context, grace time.Duration) error {
	turn, err := lockFile(filepath.Join(c.home, "start.lock"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer turn.Close()
	if err := c.startServer(ctx); err != nil {
		return fmt.Errorf("starting a PostgreSQL server for tests: %w", err)
	}
	// The watcher comes after the server: it must find something to stop.
	watched, err := lockFile(filepath.Join(c.home, watchFile), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := watched.Close(); err != nil {
		return err
	}
	c.watcher, err = startWatcher(c.server, c.home, grace)
	return err
}

func (c *Cluster) startServer(ctx context.Context) error {
	bin, err := binaries(ctx)
	if err != nil {
		return err
	}
	who, err := serverAccount()
	if err != nil {
		return err
	}
	c.server = server{bin: bin, dir: filepath.Join(c.home, "server"), account: who}
	ready := filepath.Join(c.home, "ready")
	if _, err := os.Stat(ready); err != nil {
		if err := os.RemoveAll(c.server.dir); err != nil { // what a killed process left half done
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
	if c.server.isUp(ctx) {
		return nil
	}
	return c.server.start(ctx)
}

// Log is the server's log file.
func (c *Cluster) Log() string { return c.server.log() }

// URL names a database of the cluster; "postgres" is always there.
func (c *Cluster) URL(database string) string { return c.server.url(database) }

// Stop ends the server; its data stay. A crash kills it without a word to anyone.
func (c *Cluster) Stop(ctx context.Context, crash bool) error {
	mode := "fast"
	if crash {
		mode = "immediate"
	}
	return c.server.stop(ctx, mode)
}

// Start starts a stopped server and returns when it takes connections.
func (c *Cluster) Start(ctx context.Context) error { return c.server.start(ctx) }

// Leave tells that this process uses the cluster no more; ending the process says so, too.
func (c *Cluster) Leave() error { return c.users.Close() }

// Close ends a cluster made by New: when it returns, server and data are gone.
func (c *Cluster) Close() error {
	if err := c.Leave(); err != nil {
		return err
	}
	return c.watcher.Wait()
}
