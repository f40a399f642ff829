package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// watchVariable is the environment variable that makes a process a watcher. It contains the parameters of watch.
const watchVariable = "ERRAND_TEST_CLUSTER_WATCH"

const (
	usersFile = "users.lock" // held in shared mode by every process that uses the cluster
	watchFile = "watch.lock" // held by the watcher
)

// A program that imports this package runs as a watcher if watchVariable is set.
func init() {
	parameters, ok := os.LookupEnv(watchVariable)
	if !ok {
		return
	}
	if err := watch(parameters); err != nil {
		fmt.Fprintln(os.Stderr, "watching a PostgreSQL cluster:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// startWatcher starts the current executable as a watcher, which stops the server when no process uses it. A separate
// process is necessary because a killed process cannot clean up.
func startWatcher(s server, home string, grace time.Duration) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), watchVariable+"="+strings.Join([]string{home, s.dir, s.bin, grace.String()}, "\n"))
	// The watcher has its own session, so that Ctrl-C does not end it. It has no output, because "go test" waits until
	// its pipes are closed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, startAndWaitReady(cmd)
}

// startAndWaitReady starts the watcher and waits until it holds its lock, so that a cluster is never without a watcher.
func startAndWaitReady(cmd *exec.Cmd) error {
	ready, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd.ExtraFiles = []*os.File{writer}
	err = errors.Join(cmd.Start(), writer.Close())
	if err != nil {
		return err
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		return errors.Join(errors.New("the watcher of the PostgreSQL cluster did not start"), cmd.Wait())
	}
	return nil
}

// signalReady reports to startAndWaitReady that the watcher holds its lock.
func signalReady() error {
	writer := os.NewFile(3, "ready") // the first entry of cmd.ExtraFiles
	_, err := writer.Write([]byte{1})
	return errors.Join(err, writer.Close())
}

// watch waits until no process uses the cluster, stops the server and removes the cluster. The parameters are separated
// by newlines: the cluster's directory, the server's directory, the directory of the programs, and the grace period.
func watch(parameters string) error {
	fields := strings.Split(parameters, "\n")
	if len(fields) != 4 {
		return errors.New("malformed " + watchVariable)
	}
	home, dir, bin := fields[0], fields[1], fields[2]
	grace, err := time.ParseDuration(fields[3])
	if err != nil {
		return err
	}
	watchLock, err := lockFile(filepath.Join(home, watchFile), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return err
	}
	defer watchLock.Close()
	if err := signalReady(); err != nil {
		return err
	}
	users, err := waitUnused(filepath.Join(home, usersFile), grace)
	if err != nil {
		return err
	}
	defer users.Close()
	acct, err := serverAccount()
	if err != nil {
		return err
	}
	// The server may be stopped already. A process that waits for the users' lock detects the removal (errRemoved).
	_ = server{bin: bin, dir: dir, account: acct}.stop(context.Background(), "immediate")
	return os.RemoveAll(home)
}

// waitUnused returns with the exclusive lock held after no process used the cluster for a full grace period.
func waitUnused(path string, grace time.Duration) (*os.File, error) {
	users, err := lockFile(path, syscall.LOCK_EX)
	for err == nil && grace > 0 {
		if err = flock(users, syscall.LOCK_UN); err != nil {
			break
		}
		<-time.After(grace)
		err = flock(users, syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = flock(users, syscall.LOCK_EX)
		}
	}
	return users, err
}
